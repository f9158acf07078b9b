// Takes over what host-local has given.

import { messageOf } from '../ipam/lease-error.ts';
import { describe } from '../cni/request.ts';
import type { Lease } from '../ipam/lease.ts';
import { createStore, type Store, storeExists } from '../ipam/store.ts';
import { note } from '../linux/standard-error.ts';
import { writeStdout } from '../linux/standard-output.ts';
import { CommandError, defineCommand } from './command.ts';
import {
	type Contents,
	readContents,
	removeReservation,
	type ReservedAddress,
	whileLocked,
} from './host-local-directory.ts';
import { recordImport } from './import-record.ts';
import { holdingsOf, report } from './lease-stores.ts';
import { type Boot, type Decision, holderOf, keyOf, planImport } from './migration.ts';
import {
	callDeadline,
	dryRunOption,
	fromOption,
	lockDeadline,
	migrationOptions,
	placesOf,
	thisBoot,
} from './migration-options.ts';
import { takeOver } from './take-over.ts';

export const leasesImport = defineCommand({
	name: 'leases import',
	summary: 'takes over the addresses that host-local has given',
	details: `Every file of host-local becomes a lease, under host-local's own lock; containers notice nothing. Files that
are empty or cut are named on stderr and left alone, as are those that are older than this boot of the machine.
To import again changes nothing. host-local's files stay, unless --move is given: docs/operations.md says
which of the two a runtime needs. No container may be launched from the import until the new configuration is there.`,
	options: {
		from: fromOption,
		...migrationOptions,
		'dry-run': dryRunOption,
		move: { type: 'boolean', about: 'remove each file when its lease exists' },
		all: { type: 'boolean', about: 'also files older than this boot, when the clock has been set since' },
	},
	run({ from, move, all, 'dry-run': dryRun, ...values }) {
		const { directory, store } = placesOf(from, values);
		const boot = { ...thisBoot(), ...(all && { time: 0 }) };
		return whileLocked(directory, lockDeadline(), dryRun ? 'ignore' : 'create', () => {
			const contents = readContents(directory);
			const held = storeExists(store) ? holdingsOf(store) : { leases: [], problems: [] };
			const plan = planImport(contents, held.leases, boot);
			if (!dryRun) {
				createStore(store);
				recordImport(store, directory, move);
			}
			const { done, failures } = dryRun ? pretend(plan) : carryOut(plan, store, held.leases, boot);
			for (const file of move ? done : []) removeReservation(file);
			return report([...held.problems, ...problemsOf(contents, plan), ...failures]);
		});
	},
});

interface Outcome {
	/** Whose leases exist now. */
	readonly done: ReservedAddress[];
	readonly failures: unknown[];
}

function pretend(plan: readonly Decision[]): Outcome {
	for (const { file, action } of plan) if (action === 'take over') say('would import', file);
	return { done: [], failures: [] };
}

function carryOut(plan: readonly Decision[], store: Store, leases: readonly Lease[], boot: Boot): Outcome {
	const done = filesTo(plan, 'leased already');
	for (const file of done) say('had imported', file);
	const failures: unknown[] = [];
	const present = Map.groupBy(
		leases.filter(({ bootId }) => bootId === boot.id),
		keyOf,
	);
	for (const files of Map.groupBy(filesTo(plan, 'take over'), (file) => keyOf(holderOf(file))).values()) {
		const [first] = files;
		if (first === undefined) continue;
		const holder = holderOf(first);
		const outcome = takeOver(store, holder, files, {
			present: present.get(keyOf(holder))?.length ?? 0,
			bootId: boot.id,
			deadline: callDeadline(),
		});
		for (const file of files.filter((each) => outcome.taken.includes(each))) {
			say('imported', file);
			done.push(file);
		}
		failures.push(
			...outcome.failures.map((error) => new CommandError(`importing from "${first.path}": ${messageOf(error)}`)),
		);
	}
	return { done, failures };
}

function problemsOf({ broken }: Contents, plan: readonly Decision[]): CommandError[] {
	for (const file of filesTo(plan, 'dead')) {
		note(`left out "${file.path}": ${describe(holderOf(file))} is of an earlier boot`);
	}
	const conflicts = plan.flatMap(({ file, other }) =>
		other === undefined
			? []
			: [`importing "${file.path}" of ${describe(holderOf(file))}: the address is leased to ${describe(other)}`],
	);
	const unreadable = broken.map(({ path, problem }) => `importing "${path}": ${problem}; it was left alone`);
	return [...conflicts, ...unreadable].map((message) => new CommandError(message));
}

function filesTo(plan: readonly Decision[], action: Decision['action']): ReservedAddress[] {
	return plan.filter((decision) => decision.action === action).map(({ file }) => file);
}

function say(what: string, file: ReservedAddress): void {
	const assumed = file.ifname === undefined ? ', which is assumed' : '';
	writeStdout(`${what} ${file.address}: ${describe(holderOf(file))}${assumed}\n`);
}
