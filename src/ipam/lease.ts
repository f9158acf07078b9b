// A lease as a file holds it.

import { fieldsOf, readFields, readInteger, readString } from '../cni/fields.ts';
import type { Attachment } from '../cni/request.ts';

/** Who holds an address, and since when. */
export interface Lease extends Attachment {
	/** Empty while none is taken yet. */
	readonly address: string;
	/** The position of the address among those of its attachment. */
	readonly index: number;
	readonly network: string;
	/** The path of the network namespace at the time, and what was there, if anything was. */
	readonly netns: string;
	readonly namespace?: { readonly device: number; readonly inode: number };
	/** The boot of the machine in which it was taken: no container outlives it. */
	readonly bootId: string;
	/** Milliseconds since the epoch. */
	readonly time: number;
	readonly quarantine?: Quarantine;
	/** The task that gets the address back while it is in quarantine, see sticky.ts. */
	readonly task?: string;
}

/** For how long nobody else is given the address after its release. */
export interface Quarantine {
	readonly seconds: number;
	/** When it is over, in seconds since the boot; 0 before the release. */
	readonly until: number;
}

/** The bytes at the beginning that hold the address alone; room for the longest, 39 characters. */
export const ADDRESS_REGION = 64;

/** The bytes after that which hold the quarantine alone, if there is one; all of it is in the first block of a disk. */
export const QUARANTINE_REGION = 64;

/** Bytes; a lease is shorter, since its longest part is a path of at most 4096 bytes, of which JSON makes six each. */
export const LONGEST_LEASE = 32768;

const MANY = Number.MAX_SAFE_INTEGER;

/**
 * The text of the address region: what a lease begins with, padded so that any address can be written over any other
 * and the whole stays one JSON object.
 */
export function encodeAddressRegion(address: string): string {
	return `${`{"address":${JSON.stringify(address)}`.padEnd(ADDRESS_REGION - 1)},`;
}

/** The text of the quarantine region, padded for the same reason. */
export function encodeQuarantineRegion(quarantine: Quarantine): string {
	return `${`"quarantine":${JSON.stringify(quarantine)}`.padEnd(QUARANTINE_REGION - 1)},`;
}

/** The text of a lease: one line of JSON. */
export function encodeLease({ address, quarantine, ...rest }: Lease): string {
	const region = quarantine === undefined ? '' : encodeQuarantineRegion(quarantine);
	return `${encodeAddressRegion(address)}${region}${JSON.stringify(rest).slice(1)}\n`;
}

/** Reads the text of a lease. Undefined when it is none, or was cut by a crash of the machine. */
export function decodeLease(text: string): Lease | undefined {
	try {
		const fields = fieldsOf(JSON.parse(text), '');
		const namespace = readFields(fields, 'namespace');
		const quarantine = readFields(fields, 'quarantine');
		const task = readString(fields, 'task');
		const lease = {
			address: readString(fields, 'address') ?? '',
			containerId: required(readString(fields, 'containerId')),
			ifname: required(readString(fields, 'ifname')),
			index: required(readInteger(fields, 'index', 0, MANY)),
			network: required(readString(fields, 'network')),
			netns: readString(fields, 'netns') ?? '',
			...(namespace && {
				namespace: {
					device: required(readInteger(namespace, 'device', 0, MANY)),
					inode: required(readInteger(namespace, 'inode', 0, MANY)),
				},
			}),
			bootId: required(readString(fields, 'bootId')),
			time: required(readInteger(fields, 'time', 0, MANY)),
			...(quarantine && {
				quarantine: {
					seconds: required(readInteger(quarantine, 'seconds', 1, MANY)),
					until: required(readInteger(quarantine, 'until', 0, MANY)),
				},
			}),
			...(task !== undefined && { task }),
		};
		// These become names of files.
		return `${lease.address}${lease.containerId}${lease.ifname}`.includes('/') ? undefined : lease;
	} catch {
		return undefined;
	}
}

function required<T>(value: T | undefined): T {
	if (value === undefined) throw new TypeError('a member of the lease is missing');
	return value;
}
