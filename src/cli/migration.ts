// What moves between a directory of host-local and a lease store: decided here, done by the commands.

import { type Attachment, describe } from '../cni/request.ts';
import type { Lease } from '../ipam/lease.ts';
import type { BrokenFile, Contents, ReservedAddress } from './host-local-directory.ts';

/** The interface of a container whose file names none. */
const ASSUMED_INTERFACE = 'eth0';

/** This boot, and when it began: milliseconds since the epoch. */
export interface Boot {
	readonly id: string;
	readonly time: number;
}

/** Who holds an address of host-local. */
export function holderOf({ containerId, ifname }: Pick<ReservedAddress, 'containerId' | 'ifname'>): Attachment {
	return { containerId, ifname: ifname ?? ASSUMED_INTERFACE };
}

/** What is to be done about one file. */
export interface Decision {
	readonly file: ReservedAddress;
	/** `dead`: the machine has been started since. */
	readonly action: 'take over' | 'leased already' | 'conflict' | 'dead';
	/** Who has leased the address, when that is another. */
	readonly other?: Attachment;
}

/** Decides about each file of host-local, given the leases of the network. */
export function planImport({ reserved }: Contents, leases: readonly Lease[], boot: Boot): Decision[] {
	const held = new Map(leases.filter(({ bootId }) => bootId === boot.id).map((lease) => [lease.address, lease]));
	return reserved.map((file) => {
		const lease = held.get(file.address);
		if (lease !== undefined && isSame(lease, holderOf(file))) return { file, action: 'leased already' };
		if (file.time < boot.time) return { file, action: 'dead' };
		return lease === undefined ? { file, action: 'take over' } : { file, action: 'conflict', other: lease };
	});
}

/** The imported leases of attachments of which host-local has no file any more, one lease an attachment. */
export function planPrune({ reserved, broken }: Contents, leases: readonly Lease[], thisBoot: string): Lease[] {
	const kept = new Set(reserved.map((file) => keyOf(holderOf(file))));
	// A file that cannot be read may be anybody's.
	const unreadable = new Set(broken.map(({ address }) => address));
	const imported = leases.filter((lease) => isImported(lease) && lease.bootId === thisBoot);
	for (const lease of imported) if (unreadable.has(lease.address)) kept.add(keyOf(lease));
	const gone = imported.filter((lease) => !kept.has(keyOf(lease)));
	return [...new Map(gone.map((lease) => [keyOf(lease), lease])).values()];
}

/** What an export writes and removes, and what is in its way. */
export interface ExportPlan {
	readonly write: readonly Lease[];
	readonly present: readonly Lease[];
	readonly dead: readonly Lease[];
	/** Files of an earlier export whose leases have been released. */
	readonly remove: readonly ReservedAddress[];
	readonly conflicts: readonly { readonly lease: Lease; readonly path: string; readonly problem: string }[];
}

/** Decides about each lease of the network, given what is in the directory. */
export function planExport({ reserved, broken }: Contents, leases: readonly Lease[], thisBoot: string): ExportPlan {
	const alive = leases.filter(({ bootId }) => bootId === thisBoot);
	const leased = new Set(alive.map(({ address }) => address));
	const remove = reserved.filter(({ address, isExported }) => isExported && !leased.has(address));
	const files = new Map<string | undefined, ReservedAddress | BrokenFile>(
		[...reserved, ...broken].map((file) => [file.address, file]),
	);
	const conflicts: { lease: Lease; path: string; problem: string }[] = [];
	const [write, present]: [Lease[], Lease[]] = [[], []];
	for (const lease of alive) {
		const file = files.get(lease.address);
		if (file === undefined) write.push(lease);
		else if ('problem' in file) conflicts.push({ lease, path: file.path, problem: file.problem });
		else if (isSame(lease, holderOf(file))) present.push(lease);
		else conflicts.push({ lease, path: file.path, problem: `of ${describe(holderOf(file))}` });
	}
	return { write, present, dead: leases.filter(({ bootId }) => bootId !== thisBoot), remove, conflicts };
}

/** An ADD cannot be made without a namespace, so that a lease without one was imported. */
export function isImported({ netns }: Lease): boolean {
	return netns === '';
}

/** What tells attachments apart. */
export function keyOf({ containerId, ifname }: Attachment): string {
	return `${containerId}@${ifname}`;
}

function isSame(one: Attachment, other: Attachment): boolean {
	return keyOf(one) === keyOf(other);
}
