// A host in memory on which processes lease and release, and what the store promises at every instant and at the end.
import { formatAddress } from '../../src/ipam/address.ts';
import { releaseOthers } from '../../src/ipam/gc.ts';
import { leaseAddresses } from '../../src/ipam/lease-addresses.ts';
import { LeaseError } from '../../src/ipam/lease-error.ts';
import { keepLocked, openLocked } from '../../src/ipam/lease-file.ts';
import { decodeLease, type Lease } from '../../src/ipam/lease.ts';
import { isReleased } from '../../src/ipam/quarantine.ts';
import type { RangeSet } from '../../src/ipam/range-set.ts';
import { releaseAttachment } from '../../src/ipam/release.ts';
import { assertReady } from '../../src/ipam/status.ts';
import { attachmentPath, storeExists, storeOf } from '../../src/ipam/store.ts';
import type { System } from '../../src/ipam/system.ts';
import { hostInterfaceName } from '../../src/linux/host-interface-name.ts';
import {
	createMemoryKernel,
	createProcess,
	type MemoryKernel,
	namespaceOf,
	type SteppedProcess,
} from './memory-system.ts';
import { anyOf, leasedAt, setOf, thisBoot } from './stores.ts';

export const MINUTE = 60_000;
/** Seconds for which a released address is given to nobody else, where an ADD asks for that. */
const QUARANTINE = 60;
/** Beyond every wait that the store makes for its own reasons: who waits so long waits for its own attachment. */
const FOREVER = 1e9;

// Fewer addresses than containers: one of each IPv4 range, and two of IPv6.
const sets = [setOf('9.0.1.0/30', '9.0.2.0/30'), setOf('fd00::/126')] as const;
export const containers = ['a', 'b', 'c', 'd'] as const;

export type Command =
	| {
			readonly verb: 'ADD';
			readonly container: string;
			readonly families: readonly (0 | 1)[];
			readonly quarantined?: boolean;
			/** Whether the container is to get the addresses back that it had before. */
			readonly sticky?: boolean;
	  }
	| { readonly verb: 'DEL'; readonly container: string; readonly holds: boolean }
	| { readonly verb: 'GC'; readonly valid: readonly string[] }
	| { readonly verb: 'STATUS' };

const attachmentOf = (containerId: string) => ({ containerId, ifname: 'eth0' });
/** What shows that a container lives: its namespace, and the host's end of its interface. */
const partsOf = (containerId: string) =>
	[namespaceOf(containerId).netns, hostInterfaceName(attachmentOf(containerId))] as const;
const storeIn = (system: System) => storeOf('/leases', 'dcos', { system, note: () => {} });

/** What one process does, from its start to its end; ADD gives the addresses. */
function run(command: Command, system: System, now: number, bootId = thisBoot, deadline = FOREVER): readonly string[] {
	const store = storeIn(system);
	const terms = { bootId, deadline, now };
	switch (command.verb) {
		case 'ADD': {
			const kept = {
				...(command.quarantined && { quarantine: { seconds: QUARANTINE, until: 0 } }),
				...(command.sticky && { task: command.container }),
			};
			const holder = {
				...attachmentOf(command.container),
				...namespaceOf(command.container),
				time: now,
				...kept,
			};
			const demands = anyOf(...command.families.map((family) => sets[family]));
			return leaseAddresses(store, holder, demands, terms).map(formatAddress);
		}
		case 'DEL': {
			if (!storeExists(store)) return [];
			const attachment = attachmentOf(command.container);
			// As the bridge does, which removes the interface meanwhile.
			const file = command.holds
				? openLocked(store, attachmentPath(store, attachment, 0), attachment, deadline)
				: undefined;
			if (file !== undefined) keepLocked(store, file);
			releaseAttachment(store, attachment, deadline);
			return [];
		}
		case 'GC':
			if (storeExists(store)) releaseOthers(store, command.valid.map(attachmentOf));
			return [];
		case 'STATUS':
			assertReady(store, sets, terms);
			return [];
	}
}

/** Whether the command may free what a container has. */
function revokes(command: Command, container: string): boolean {
	if (command.verb === 'DEL') return command.container === container;
	return command.verb === 'GC' && !command.valid.includes(container);
}

export interface Actor {
	/** Whose fate a move may change. */
	readonly container: string;
	readonly command: Command;
	readonly process: SteppedProcess<readonly string[]>;
	state: 'waiting' | 'running' | 'ended';
}

/** A host on which processes run; every change is followed by a look at what must always be. */
export function createWorld() {
	const kernel = createMemoryKernel();
	kernel.callsOf(0).makeDirectory('/leases', { recursive: false });
	const actors: Actor[] = [];
	/** Containers whose ADD has succeeded, and which nothing since then was allowed to take anything from. */
	const promised = new Map<string, readonly string[]>();
	/** What ADDs have answered who want a quarantine, by address: the lease, and when it was last somebody's. */
	const answered = new Map<string, { readonly inode: number; readonly task: string | undefined; until: number }>();
	let now = leasedAt;
	let lastProcess = 0;

	function live(container: string): void {
		for (const part of partsOf(container)) kernel.alive.add(part);
	}

	function isAlive(container: string): boolean {
		return partsOf(container).some((part) => kernel.alive.has(part));
	}

	function checkAlways(): void {
		const attachments = new Map(kernel.entries('/leases/dcos/attachments').map(({ name, inode }) => [name, inode]));
		const holders = new Map<string, string>();
		for (const { name, inode, text } of kernel.entries('/leases/dcos/addresses')) {
			const lease = decodeLease(text);
			if (lease?.address !== name) throw new Error(`${name} has the content ${text}`);
			if (isReleased(lease)) continue;
			checkQuarantine(lease, inode);
			if (attachments.get(`${lease.containerId}@eth0@${lease.index}`) !== inode)
				throw new Error(`no DEL would find ${name}`);
			holders.set(name, lease.containerId);
		}
		for (const [container, addresses] of promised) {
			for (const address of addresses) {
				if (holders.get(address) !== container)
					throw new Error(`${address} of ${container} is with ${holders.get(address)}`);
			}
		}
	}

	function checkQuarantine({ address, task }: Lease, inode: number): void {
		const known = answered.get(address);
		if (known === undefined) return;
		if (known.inode === inode) {
			known.until = kernel.clock.uptime + QUARANTINE;
			return;
		}
		answered.delete(address);
		const isOwn = task !== undefined && task === known.task;
		if (!isOwn && kernel.clock.uptime < known.until) throw new Error(`${address} was given out of quarantine`);
	}

	/** From now on the addresses of an ADD that has answered go into quarantine, if they are still its own. */
	function watch(container: string): void {
		for (const { name, inode, text } of kernel.entries('/leases/dcos/addresses')) {
			const lease = decodeLease(text);
			if (lease?.containerId !== container || lease.bootId !== thisBoot) continue;
			if (lease.quarantine === undefined || isReleased(lease)) continue;
			answered.set(name, { inode, task: lease.task, until: kernel.clock.uptime + QUARANTINE });
		}
	}

	function start(actor: Actor): void {
		actor.state = 'running';
		for (const container of containers) if (revokes(actor.command, container)) promised.delete(container);
	}

	function finish({ command, process }: Actor): void {
		const ending = process.ending();
		if (ending !== undefined && 'error' in ending) {
			if (!(ending.error instanceof LeaseError)) throw ending.error;
			return;
		}
		if (command.verb !== 'ADD' || ending === undefined) return;
		const { container } = command;
		watch(container);
		if (promised.has(container)) throw new Error(`two ADDs of ${container} succeeded`);
		const isRevoked = actors.some((other) => other.state === 'running' && revokes(other.command, container));
		if (!isRevoked && isAlive(container)) promised.set(container, ending.value);
	}

	function end(actor: Actor): void {
		actor.state = 'ended';
		kernel.end(actor.process.id);
	}

	/** Makes a process's next call, or ends it after the last one. */
	function advance(actor: Actor): void {
		if (actor.state === 'waiting') start(actor);
		if (actor.process.ending() !== undefined) return end(actor);
		actor.process.step();
		if (actor.process.ending() !== undefined) finish(actor);
		checkAlways();
	}

	function spawn(command: Command, bootId = thisBoot, deadline = FOREVER): Actor {
		const at = now;
		const body = (system: System) => run(command, system, at, bootId, deadline);
		const actor: Actor = {
			container: 'container' in command ? command.container : 'a',
			command,
			process: createProcess(kernel, ++lastProcess, body),
			state: 'waiting',
		};
		actors.push(actor);
		return actor;
	}

	for (const container of containers) live(container);

	return {
		kernel,
		live,
		spawn,
		advance,
		end,
		left: () => actors.filter(({ state }) => state !== 'ended'),
		isBlocked: ({ process }: Actor) => (process.waitsUntil() ?? 0) >= FOREVER,
		/** The container loses its namespace, its interface, or both: then it is dead. */
		lose(container: string, ...parts: readonly (0 | 1)[]): void {
			for (const part of parts) kernel.alive.delete(partsOf(container)[part]);
			if (!isAlive(container)) promised.delete(container);
		},
		pass(milliseconds: number): void {
			now += milliseconds;
			kernel.clock.uptime += milliseconds / 1000;
		},
		/** Runs one process alone from its start to its end; it must not have to wait for anything. */
		alone(command: Command, bootId = thisBoot): Actor {
			const actor = spawn(command, bootId, 0);
			while (actor.state !== 'ended') advance(actor);
			return actor;
		},
	};
}

type World = ReturnType<typeof createWorld>;

/** After the last process has ended, whatever happened to it. */
export function checkAfterwards({ kernel, alone, pass }: World): void {
	for (const family of [0, 1] as const) {
		const tryAgain = (): unknown => {
			// What was put into quarantine has left it by then, as what is found dead by the first ADD has by the second.
			pass(2 * MINUTE);
			return errorOf(alone({ verb: 'ADD', container: 'fresh', families: [family] }));
		};
		const error = tryAgain() && tryAgain();
		if (error !== undefined) assertFull(kernel, sets[family], error);
		alone({ verb: 'DEL', container: 'fresh', holds: false });
	}
	for (const container of containers) {
		const error = errorOf(alone({ verb: 'DEL', container, holds: true }));
		if (error !== undefined) throw new Error('a DEL has failed', { cause: error });
	}
	const left = () => ['addresses', 'attachments'].flatMap((directory) => kernel.entries(`/leases/dcos/${directory}`));
	const held = left().filter(({ text }) => {
		const lease = decodeLease(text);
		return lease === undefined || !isReleased(lease);
	});
	if (held.length > 0) throw new Error(`held after all DELs: ${held.map(({ name }) => name).join(', ')}`);
	pass(2 * MINUTE);
	alone({ verb: 'GC', valid: [] });
	if (left().length > 0)
		throw new Error(
			`left after a GC: ${left()
				.map(({ name }) => name)
				.join(', ')}`,
		);
}

function errorOf({ process }: Actor): unknown {
	const ending = process.ending();
	return ending !== undefined && 'error' in ending ? ending.error : undefined;
}

/** An ADD may be refused only while every address is somebody's who lives, or whose runtime may still call DEL. */
function assertFull(kernel: MemoryKernel, set: RangeSet, error: unknown): void {
	if (!(error instanceof LeaseError) || error.code !== 'noAddressLeft') throw error;
	for (const { name, text } of kernel.entries('/leases/dcos/addresses')) {
		const lease = decodeLease(text);
		const concerns = name.includes(':') === (set.family === 6);
		const isDead =
			lease?.bootId !== thisBoot ||
			isReleased(lease) ||
			!partsOf(lease.containerId).some((part) => kernel.alive.has(part));
		if (concerns && isDead) throw new Error(`${name} of the dead ${lease?.containerId} was not given`);
	}
}
