// The files of host-local, the reference IPAM plugin: one for each address, named by it, with its holder as content.
//
// plugins/ipam/host-local/backend/disk/backend.go

import { isIdentifier } from '../cni/environment.ts';
import type { Attachment } from '../cni/request.ts';
import { formatAddress, parseAddress } from './address.ts';

/** The file whose flock(2) host-local holds while it reads or writes the others. */
export const LOCK_FILE = 'lock';

const LINE_BREAK = '\r\n';

/** Who holds an address, as a file of host-local says it. */
export interface Reservation {
	readonly containerId: string;
	/** Undefined in files of host-local before 0.8, which knew one interface a container. */
	readonly ifname: string | undefined;
	/** Whether {@link encodeReservation} wrote it, and not host-local. */
	readonly isExported: boolean;
}

/** The content of an address's file. It ends with a newline, which host-local passes over and never writes itself. */
export function encodeReservation({ containerId, ifname }: Attachment): string {
	return `${containerId}${LINE_BREAK}${ifname}\n`;
}

/** Reads the content of an address's file. Undefined when it is empty, cut, or something else. */
export function decodeReservation(text: string): Reservation | undefined {
	const [first = '', second, ...rest] = text.trimEnd().split(LINE_BREAK);
	const containerId = first.trim();
	// A line break is written only in front of an interface, so that without one the rest is missing.
	const isCut = second === undefined && text.includes('\r');
	if (isCut || rest.length > 0 || !isIdentifier(containerId)) return undefined;
	if (second !== undefined && !isInterfaceName(second)) return undefined;
	return { containerId, ifname: second, isExported: second !== undefined && text.endsWith('\n') };
}

/** What the kernel takes as a name, `dev_valid_name` in net/core/dev.c. */
function isInterfaceName(name: string): boolean {
	return /^[^/:\s\0]{1,15}$/.test(name) && name !== '.' && name !== '..';
}

/** The address that a file is named by, as the lease store writes it. Undefined for every other name. */
export function addressOfFile(name: string): string | undefined {
	const address = parseAddress(name);
	return address === undefined ? undefined : formatAddress(address);
}

/** The name of the file with the address that range set number `index` gave last. */
export function lastReservedFile(index: number): string {
	return `last_reserved_ip.${index}`;
}

/** Whether a file is one that host-local keeps beside those of the addresses. */
export function isBookkeeping(name: string): boolean {
	return name === LOCK_FILE || /^last_reserved_ip(?:\.\d+)?$/.test(name);
}
