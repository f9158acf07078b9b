// The state of a running master: decisions are made one after the other, and answered when they are durable.

import { messageOf } from '../ipam/lease-error.ts';
import { findContradictions } from '../overlay/consistency.ts';
import { type Draft, openDraft, type OpenDraft } from '../overlay/draft.ts';
import { decodeWrite, encodeWrite, type StoredWrite, type Write } from '../overlay/records.ts';
import { applyWrite, createState, type LiveState, type OverlayState } from '../overlay/state.ts';
import { type StateStore, type StoredState, StoreError } from './store.ts';

/** How many changes are remembered for those who watch, and how many writes in all. */
const LONGEST_HISTORY = 10_000;
const MOST_WRITES = 200_000;

/** What was changed at once, after which the state has this revision. */
export interface Committed {
	readonly revision: string;
	readonly writes: readonly Write[];
}

export interface Registry {
	/** What is durable, for those who only read. */
	readonly durable: OverlayState;
	/** How many runs of the master before this one have changed something, as far as that is remembered. */
	readonly earlierRuns: number;
	/**
	 * Lets a function decide, and gives what it returns as soon as all that it has seen and put is durable. Throws what it
	 * throws, or StoreError, with nothing changed.
	 */
	change<Result>(decide: (draft: Draft) => Result): Promise<Result>;
	/** Of the last change. */
	revision(): string;
	/** What has changed since a revision, the oldest first; undefined when that is not known any more, or never was. */
	changesSince(revision: string): readonly Committed[] | undefined;
	/** Calls a function after each change. */
	watch(listener: (committed: Committed) => void): void;
}

/** A change with its number, one more than that of the one before. */
interface Numbered extends Committed {
	readonly number: number;
	/** How many writes there have been, with those of this change. */
	readonly total: number;
}

interface Waiting {
	readonly decide: (draft: Draft) => void;
	readonly succeed: () => void;
	readonly fail: (error: unknown) => void;
}

/** Reads the state from a store; `run` tells this run of the master from others. Throws StoreError when it contradicts itself. */
export async function openRegistry(store: StateStore, run: string): Promise<Registry> {
	const stored = await store.load();
	const writes = decodeRecords(stored);
	const [state, durable] = [createState(), createState()];
	for (const write of writes) for (const each of [state, durable]) applyWrite(each, write);
	refuseContradictions(state);
	const history: Numbered[] = [];
	for (const { revision, run: by, writes: changed } of stored.history) {
		const total = (history.at(-1)?.total ?? 0) + changed.length;
		history.push({ number: revision, revision: `${revision}-${by}`, writes: decodeAll(changed), total });
	}
	trim(history);
	const listeners: ((committed: Committed) => void)[] = [];
	const waiting: Waiting[] = [];
	let isBusy = false;

	const work = async (): Promise<void> => {
		while (waiting.length > 0) {
			const last = history.at(-1);
			const number = (last?.number ?? 0) + 1;
			const outcome = await commitTogether(store, state, waiting.splice(0), { revision: number, run });
			if (outcome.writes.length > 0) {
				const total = (last?.total ?? 0) + outcome.writes.length;
				const committed = { number, revision: `${number}-${run}`, writes: outcome.writes, total };
				for (const write of outcome.writes) applyWrite(durable, write);
				history.push(committed);
				trim(history);
				for (const listener of listeners) listener(committed);
			}
			outcome.answer();
		}
		isBusy = false;
	};
	return {
		durable,
		earlierRuns: new Set(stored.history.map((change) => change.run)).size,
		change: (decide) => {
			const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof decide>>();
			const settled: { result?: ReturnType<typeof decide> } = {};
			waiting.push({
				decide: (draft) => (settled.result = decide(draft)),
				succeed: () => resolve(settled.result as ReturnType<typeof decide>),
				fail: reject,
			});
			if (!isBusy) {
				isBusy = true;
				// Who comes in the same turn shares the commit.
				setImmediate(() => void work());
			}
			return promise;
		},
		revision: () => history.at(-1)?.revision ?? `0-${run}`,
		changesSince: (revision) => {
			const first = history[0]?.number ?? 0;
			const at = Number(revision.split('-')[0]) - first;
			return history[at]?.revision === revision ? history.slice(at + 1) : undefined;
		},
		watch: (listener) => void listeners.push(listener),
	};
}

/** Lets all decide, each seeing what those before it have put, and makes it durable at once. Gives what is durable now, and how to answer. */
async function commitTogether(
	store: StateStore,
	state: LiveState,
	waiting: readonly Waiting[],
	{ revision, run }: { readonly revision: number; readonly run: string },
): Promise<{ readonly writes: readonly Write[]; readonly answer: () => void }> {
	const decided: { readonly one: Waiting; readonly draft: OpenDraft }[] = [];
	for (const one of waiting) {
		const draft = openDraft(state);
		try {
			one.decide(draft);
			decided.push({ one, draft });
		} catch (error) {
			draft.discard();
			one.fail(error);
		}
	}
	const writes = decided.flatMap(({ draft }) => draft.writes);
	try {
		const stored = { revision, run, writes: writes.map(encodeWrite) };
		if (writes.length > 0) await store.commit(stored, revision - LONGEST_HISTORY);
	} catch (error) {
		for (const { draft } of decided.toReversed()) draft.discard();
		return { writes: [], answer: () => decided.forEach(({ one }) => one.fail(error)) };
	}
	return { writes, answer: () => decided.forEach(({ one }) => one.succeed()) };
}

/** Forgets the oldest changes when there are too many. */
function trim(history: Numbered[]): void {
	const total = history.at(-1)?.total ?? 0;
	while (history.length > LONGEST_HISTORY || (total - (history[0]?.total ?? 0) > MOST_WRITES && history.length > 1)) {
		history.shift();
	}
}

function decodeRecords({ records }: StoredState): Write[] {
	// The oldest of what was freed comes first.
	const timeOf = (write: Write): number => (write.kind === 'freed' ? (write.value?.time ?? 0) : 0);
	return decodeAll(records).toSorted((one, other) => timeOf(one) - timeOf(other));
}

function decodeAll(writes: readonly StoredWrite[]): Write[] {
	return writes.map((write) => {
		try {
			return decodeWrite(write);
		} catch (error) {
			throw new StoreError('corrupt', `reading the state: the record "${write.key}": ${messageOf(error)}`, error);
		}
	});
}

function refuseContradictions(state: OverlayState): void {
	const contradictions = findContradictions(state);
	if (contradictions.length === 0) return;
	throw new StoreError('corrupt', `reading the state: ${contradictions.join('; ')}, restore a backup`);
}
