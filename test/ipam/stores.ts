// Lease stores in temporary directories, and processes that can be stopped between any two system calls.
import { closeSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { ExecutionContext } from 'ava';
import type { Address } from '../../src/ipam/address.ts';
import { rangeOfHalf } from '../../src/ipam/agent-subnet.ts';
import { readIpamConfiguration } from '../../src/ipam/configuration.ts';
import { type Demand, leaseAddresses } from '../../src/ipam/lease-addresses.ts';
import { formatAddress, parseAddress } from '../../src/ipam/address.ts';
import { type RangeSet, rangeSet } from '../../src/ipam/range-set.ts';
import { type Store, storeOf } from '../../src/ipam/store.ts';
import { readSubnet } from '../../src/ipam/subnet.ts';
import { kernel, type System } from '../../src/ipam/system.ts';
import { configurationOf, minimal } from '../cni/requests.ts';

export const thisBoot = '11111111-1111-1111-1111-111111111111';
export const earlierBoot = '00000000-0000-0000-0000-000000000000';

/** When leases are made, in ms since the epoch. */
export const leasedAt = 1_795_000_000_000;

/** No waiting. */
export const past = 0;

export function temporaryDirectory(t: ExecutionContext): string {
	const directory = mkdtempSync(`${tmpdir()}/leases-`);
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	return directory;
}

/** A process of its own as far as the store is concerned; the notes that it writes are collected. */
export function processAt(dataDirectory: string, system: System = { ...kernel, held: new Map() }) {
	const notes: string[] = [];
	const store = storeOf(dataDirectory, 'dcos', { system, note: (message) => void notes.push(message) });
	return { store, notes };
}

/** A system that runs `before` in front of every call and can be killed, which frees its locks. */
export function simulate(before: (call: number, name: string) => void = () => {}) {
	const open = new Set<number>();
	let calls = 0;
	let dead = false;
	const wrap =
		(name: string, call: (...args: unknown[]) => unknown) =>
		(...args: unknown[]) => {
			if (dead) throw new Error('the process is dead');
			before(++calls, name);
			if (dead) throw new Error('the process is dead');
			const result = call(...args);
			if (name === 'openFile') open.add(result as number);
			if (name === 'closeFile') open.delete(args[0] as number);
			return result;
		};
	const functions = Object.entries(kernel).filter(([, value]) => typeof value === 'function');
	const wrapped = functions.map(([name, call]) => [name, wrap(name, call as (...args: unknown[]) => unknown)]);
	return {
		system: { ...Object.fromEntries(wrapped), held: new Map() } as unknown as System,
		calls: () => calls,
		kill(): void {
			dead = true;
			for (const descriptor of open) closeSync(descriptor);
			open.clear();
		},
	};
}

/** What halves, of one family, give to containers. */
export function setOf(...halves: readonly string[]): RangeSet {
	const ranges = halves.map((half) => rangeOfHalf(readSubnet(half, 'half'), 'all', 'half'));
	return rangeSet(ranges[0]?.subnet.family ?? 4, ranges);
}

/** The sets of a network with these keys in its `ipam`. */
export function setsOf(ipam: Record<string, unknown>): readonly RangeSet[] {
	return readIpamConfiguration(configurationOf({ ...minimal, ipam })).sets;
}

/** The demand for exactly this address. */
export function exactly(text: string, set = small): Demand[] {
	return [{ set, requested: parseAddress(text) }];
}

/** Room for five containers, and for fourteen. */
export const small = setOf('9.0.1.0/29');
export const small6 = setOf('fd00::/124');

export function anyOf(...sets: readonly RangeSet[]): Demand[] {
	return sets.map((set) => ({ set, requested: undefined }));
}

export function holderOf(containerId: string, ifname = 'eth0') {
	return { containerId, ifname, netns: `/run/netns/${containerId}`, time: leasedAt };
}

/** Leases and says the addresses as text. */
export function lease(
	store: Store,
	containerId: string,
	demands: readonly Demand[] = anyOf(small),
	{ bootId = thisBoot, deadline = past, ifname = 'eth0', now = leasedAt, holder = {} } = {},
): string[] {
	const whole = { ...holderOf(containerId, ifname), ...holder };
	return leaseAddresses(store, whole, demands, { bootId, deadline, now }).map((address: Address) =>
		formatAddress(address),
	);
}

/** What an ADD has to leave as it found it: every name in the two directories. */
export function entriesOf(store: Store): string[] {
	return [store.addresses, store.attachments].flatMap((directory) => readdirSync(directory)).toSorted();
}

/** Ends a process, which frees its locks. */
export function endProcess({ system }: Store): void {
	for (const file of system.held.values()) system.closeFile(file.descriptor);
	system.held.clear();
}
