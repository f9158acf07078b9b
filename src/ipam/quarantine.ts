// The quarantine: for some time after its release, an address is given to nobody else.
//
// The lease says for how long. Its release writes into it when that is over, and removes only the name under
// attachments/: what is left under addresses/ keeps the address taken until somebody needs it. Time is counted from the
// boot, since clocks jump; a reboot ends every quarantine.

import { type Fields, readInteger } from '../cni/fields.ts';
import { O_NOFOLLOW, O_RDWR } from '../linux/files.ts';
import { messageOf } from './lease-error.ts';
import type { LeaseFile } from './lease-file.ts';
import { ADDRESS_REGION, encodeQuarantineRegion, type Lease, type Quarantine, QUARANTINE_REGION } from './lease.ts';
import type { Obituary } from './liveness.ts';
import type { Store } from './store.ts';

/** A week, in seconds. */
const LONGEST = 604_800;

/** What a lease says whose address goes into quarantine; nothing when it does not. Throws CniError (invalid configuration). */
export function readQuarantine(fields: Fields): Pick<Lease, 'quarantine'> {
	const seconds = readInteger(fields, 'quarantine', 0, LONGEST) ?? 0;
	return seconds === 0 ? {} : { quarantine: { seconds, until: 0 } };
}

/** Whether a lease is nobody's any more, and only keeps its address taken. */
export function isReleased({ quarantine }: Lease): boolean {
	return quarantine !== undefined && quarantine.until > 0;
}

/** A point in time: which boot, and seconds since then. */
export interface Moment {
	readonly bootId: string;
	readonly uptime: number;
}

/** The seconds for which a released lease keeps its address taken; 0 when that is over. */
export function secondsLeft({ bootId, quarantine }: Lease, now: Moment): number {
	if (quarantine === undefined || bootId !== now.bootId) return 0;
	const left = quarantine.until - now.uptime;
	// One that lasts longer than it should was not written by us.
	return left > 0 && left <= quarantine.seconds + 1 ? left : 0;
}

/**
 * Puts the address of a lease, whose lock is held, into quarantine: gives the lease as it is then. Undefined: there is
 * none for it, or there cannot be, which is noted. Then the address is to be freed.
 */
export function enterQuarantine(store: Store, file: LeaseFile, lease: Lease): Lease | undefined {
	const { quarantine, bootId } = lease;
	if (quarantine === undefined || file.isNew) return undefined;
	try {
		if (bootId !== store.system.bootId()) return undefined;
		const until = Math.ceil(store.system.uptime() + quarantine.seconds);
		writeQuarantine(store, file, quarantine, { ...quarantine, until });
		return { ...lease, quarantine: { ...quarantine, until } };
	} catch (error) {
		store.note(`freeing ${lease.address} without a quarantine: ${messageOf(error)}`);
		return undefined;
	}
}

/** Through a descriptor of its own, since a lease that is to be released was opened for reading. */
function writeQuarantine({ system }: Store, { path }: LeaseFile, old: Quarantine, next: Quarantine): void {
	const descriptor = system.openFile(path, O_RDWR | O_NOFOLLOW);
	try {
		const found = Buffer.alloc(QUARANTINE_REGION);
		system.readAt(descriptor, found, ADDRESS_REGION);
		if (found.toString() !== encodeQuarantineRegion(old)) throw new Error(`"${path}" was written by somebody else`);
		system.writeAt(descriptor, new TextEncoder().encode(encodeQuarantineRegion(next)), ADDRESS_REGION);
	} finally {
		system.closeFile(descriptor);
	}
}

/** Looks at leases, and knows how long those are in quarantine that it has seen there: seconds, by address. */
export interface QuarantineWatch {
	/** Says it of a lease whose quarantine is over. */
	readonly ended: Obituary;
	readonly left: ReadonlyMap<string, number>;
}

/** Begins to watch; the clock is read when it is first needed, and not again. */
export function watchQuarantine({ system }: Pick<Store, 'system'>): QuarantineWatch {
	let now: Moment | undefined;
	const left = new Map<string, number>();
	const ended: Obituary = (lease) => {
		if (!isReleased(lease)) return undefined;
		now ??= { bootId: system.bootId(), uptime: system.uptime() };
		const seconds = secondsLeft(lease, now);
		if (seconds === 0) return 'has left it, and its quarantine is over';
		left.set(lease.address, seconds);
		return undefined;
	};
	return { ended, left };
}

/** How many addresses are in quarantine, and for how many seconds the first of them. */
export interface Waiting {
	readonly count: number;
	readonly seconds: number;
}

/** Counts what was seen in quarantine, and what has just gone there. */
export function waitingIn({ left }: QuarantineWatch, entered: readonly Lease[]): Waiting {
	const all = [...left.values(), ...entered.map(({ quarantine }) => quarantine?.seconds ?? 0)];
	return { count: all.length, seconds: all.reduce((one, other) => Math.min(one, other), Infinity) };
}
