// Hundreds of calls at once on a half that is too small for them, many of them killed at random instants: what they have
// answered, and what is in the store, must fit together.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Result } from '../helpers/cni.ts';
import { type Ended, startIpam } from '../helpers/ipam-process.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';

/** Repeats a run, as far as the machine lets it. */
const seed = Number(process.env['KILL_SEED'] ?? 20_261_123);
const CALLS = 500;
const AT_ONCE = 24;
/** So many are to be killed; half of them end before that. */
const KILLED = 0.6;
/** Addresses of the half, a /28, and more containers than that. */
const ROOM = 13;
const containers = Array.from({ length: 22 }, (_, index) => `c${index}`);
/** Seconds; nothing here takes so long but a GC behind one that was killed. */
const TIMEOUT = 15;

type Command = 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS';

interface Call extends Ended {
	readonly command: Command;
	/** Whom it concerns: of a GC, those that it does not list. */
	readonly concerned: readonly string[];
	/** The result that a CHECK was given. */
	readonly checked: Result | undefined;
}

/** For this time at least, a container has had an address. */
interface Tenure {
	readonly container: string;
	readonly address: string;
	readonly result: Result;
	readonly from: number;
	readonly to: number;
}

const addressOf = (result: Result | undefined): string => result?.ips[0]?.address.split('/')[0] ?? '';
const isRelease = ({ command }: Call): boolean => command === 'DEL' || command === 'GC';
const concerns = (container: string) => (call: Call) => call.concerned.includes(container);
const covers = ({ from, to }: Tenure, { began, ended }: Ended): boolean => from <= began && ended <= to;

/** From the answer of an ADD to the begin of the next call that may take the address away. */
function tenuresOf(calls: readonly Call[]): Tenure[] {
	return calls.flatMap(({ command, code, answer, concerned: [container = ''], began, ended }) => {
		if (command !== 'ADD' || code !== 0 || answer === undefined) return [];
		const ends = calls.filter((call) => isRelease(call) && concerns(container)(call) && call.ended > began);
		const to = Math.min(...ends.map((call) => call.began));
		return to < ended ? [] : [{ container, address: addressOf(answer), result: answer, from: ended, to }];
	});
}

/** Whether a container may have held an address at some time of a call, by what is known from outside. */
function mayHold(calls: readonly Call[], container: string, at: Ended): boolean {
	const own = calls.filter(concerns(container));
	const served = own.filter(({ command, code }) => command === 'ADD' && (code === 0 || code === undefined));
	const adds = served.filter(({ began }) => began < at.ended);
	const released = own.filter((call) => isRelease(call) && call.code === 0 && call.ended < at.began);
	return adds.some((add) => add !== at && !released.some(({ began }) => began > add.ended));
}

function createNetwork(t: ExecutionContext) {
	const dataDir = mkdtempSync(join(tmpdir(), 'mesos-overlay-crowd-'));
	t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
	const ipam = { type: 'mesos-overlay-ipam', agentSubnet: '9.0.1.0/27', prefix: 27, dataDir };
	const base = { cniVersion: '1.1.0', name: 'dcos', type: 'mesos-overlay', timeout: TIMEOUT, ipam };
	const listed = (part: string): string[] => readdirSync(join(dataDir, 'dcos', part));
	const call = async (command: Command, concerned: readonly string[], killAfter?: number, checked?: Result) => {
		const [containerId = ''] = concerned;
		const valid = containers.filter((name) => !concerned.includes(name));
		const keys = {
			...(checked && { prevResult: checked }),
			...(command === 'GC' && {
				'cni.dev/valid-attachments': valid.map((containerID) => ({ containerID, ifname: 'eth0' })),
			}),
		};
		const named = command === 'GC' || command === 'STATUS' ? {} : { containerId };
		const { feed, kill, ended } = startIpam({ command, ...named, configuration: { ...base, ...keys } });
		feed();
		if (killAfter !== undefined) setTimeout(() => kill('SIGKILL'), killAfter);
		return { command, concerned, checked, ...(await ended) } satisfies Call;
	};
	return { call, listed, holderOf: (address: string) => holderIn(join(dataDir, 'dcos/addresses', address)) };
}

function holderIn(path: string): unknown {
	return (JSON.parse(readFileSync(path, 'utf8')) as { containerId: unknown }).containerId;
}

/** Makes the calls, so many at once, and gives what became of them. */
async function play({ call }: ReturnType<typeof createNetwork>): Promise<Call[]> {
	const random = randomNumbers(seed);
	const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
	const weighted: readonly Command[] = [...'AAAAAAAAADDDDCCCGS'].map(
		(letter) => ({ A: 'ADD', D: 'DEL', C: 'CHECK', G: 'GC', S: 'STATUS' } as const)[letter as 'A'],
	);
	const results = new Map<string, Result>();
	const calls: Call[] = [];
	let started = 0;
	let usual = 50;
	const work = async (): Promise<void> => {
		while (started++ < CALLS) {
			const [command, container] = [pick(weighted), pick(containers)];
			const checked = results.get(container);
			if (command === 'CHECK' && checked === undefined) continue;
			const others = { GC: [container, pick(containers)], STATUS: [] };
			const concerned = command === 'GC' || command === 'STATUS' ? others[command] : [container];
			const killAfter = random() < KILLED ? random() * usual : undefined;
			const made = await call(command, concerned, killAfter, command === 'CHECK' ? checked : undefined);
			calls.push(made);
			if (made.command === 'ADD' && made.answer !== undefined && made.code === 0)
				results.set(container, made.answer);
			if (made.code !== undefined && command !== 'GC') usual = 0.9 * usual + 0.1 * (made.ended - made.began);
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, work));
	return calls;
}

/** Every answer is one that the call can have had. */
function assertAnswers(t: ExecutionContext, calls: readonly Call[], tenures: readonly Tenure[]): void {
	const possible = { ADD: [0, 101, 104], DEL: [0], CHECK: [0, 105], GC: [0], STATUS: [0, 50] };
	for (const call of calls) {
		const { command, code, answer, began, ended, concerned } = call;
		const said = `${command} ${concerned.join()}: ${answer?.msg ?? code}`;
		t.true(ended - began < TIMEOUT * 1000, said);
		t.true(code === undefined || possible[command].includes(code), said);
		if (code === 101 || code === 50) {
			t.true(answer?.msg?.includes(`all ${ROOM} are held`), said);
			t.true(containers.filter((name) => mayHold(calls, name, call)).length >= ROOM, `${said}, and they are not`);
		}
		if (code === 104) t.true(mayHold(calls, concerned[0] ?? '', call), said);
		if (command !== 'CHECK') continue;
		const [address, certain] = [addressOf(call.checked), tenures.filter((tenure) => covers(tenure, call))];
		if (certain.some(({ result }) => result === call.checked)) t.is(code ?? 0, 0, said);
		const others = certain.filter((tenure) => tenure.address === address && tenure.container !== concerned[0]);
		if (others.length > 0) t.not(code, 0, said);
	}
}

/** No address has two holders at one time, and no holder two addresses. */
function assertTenures(t: ExecutionContext, tenures: readonly Tenure[]): void {
	for (const key of ['address', 'container'] as const) {
		for (const same of Map.groupBy(tenures, (tenure) => tenure[key]).values()) {
			const inOrder = same.toSorted((one, other) => one.from - other.from);
			for (const [index, { from }] of inOrder.slice(1).entries()) {
				const before = inOrder[index];
				t.true(before !== undefined && before.to <= from, JSON.stringify([before, inOrder[index + 1]]));
			}
		}
	}
}

test.serial(
	`${CALLS} calls of ${containers.length} containers for ${ROOM} addresses, many of them killed`,
	async (t) => {
		t.log(`KILL_SEED=${seed}`);
		const network = createNetwork(t);
		const calls = await play(network);
		const killed = calls.filter(({ code }) => code === undefined);
		const count = (command: Command, code: number) =>
			calls.filter((call) => call.command === command && call.code === code).length;
		t.log(
			`${killed.length} killed, ADD: ${count('ADD', 0)} served, ${count('ADD', 101)} too many, ${count('ADD', 104)} twice`,
		);
		t.true(killed.length > CALLS / 10 && count('ADD', 0) > CALLS / 20 && count('ADD', 101) > 0);

		const tenures = tenuresOf(calls);
		assertTenures(t, tenures);
		assertAnswers(t, calls, tenures);
		const still = tenures.filter(({ to }) => to === Infinity);
		for (const { container, address } of still) t.is(network.holderOf(address), container);

		const released = await Promise.all(containers.map((name) => network.call('DEL', [name])));
		t.deepEqual(new Set(released.map(({ code }) => code)), new Set([0]));
		t.deepEqual([network.listed('addresses'), network.listed('attachments')], [[], []]);
		t.deepEqual(
			network
				.listed('')
				.filter((name) => name !== 'gc.lock' && name !== 'probe')
				.toSorted(),
			['addresses', 'attachments', 'last.0'],
		);
		const again = await Promise.all(containers.map((name) => network.call('ADD', [name])));
		t.is(again.filter(({ code }) => code === 0).length, ROOM);
	},
);
