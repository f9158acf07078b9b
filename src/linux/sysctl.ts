// Kernel parameters under /proc/sys/net, which are those of the network namespace that reads or writes them.

import { closeFile, O_WRONLY, openFile, readText, statusOf, writeNext } from './files.ts';

/** A kernel parameter that could not be read or written. `code` is the system's. */
export class SysctlError extends Error {
	override readonly name = 'SysctlError';
	/** "The kernel refused" in the table of CNI error codes. */
	readonly cniCode = 100;
	readonly code: string;

	constructor(operation: string, cause: unknown) {
		const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'EIO';
		super(`${operation}: ${code}`, { cause });
		this.code = code;
	}
}

/** The value of a parameter such as `ipv4/ip_forward`. Throws SysctlError. */
export function readSysctl(name: string): string {
	try {
		return readText(`/proc/sys/net/${name}`).trim();
	} catch (error) {
		throw new SysctlError(`reading kernel parameter net/${name}`, error);
	}
}

/** Writes a parameter unless it has that value already, since writing may have effects besides. Throws SysctlError. */
export function ensureSysctl(name: string, value: string): void {
	if (readSysctl(name) === value) return;
	try {
		const descriptor = openFile(`/proc/sys/net/${name}`, O_WRONLY);
		try {
			writeNext(descriptor, Buffer.from(value));
		} finally {
			closeFile(descriptor);
		}
	} catch (error) {
		throw new SysctlError(`setting kernel parameter net/${name} to ${value}`, error);
	}
}

/** Whether the kernel has a parameter: those of IPv6 are absent where IPv6 is. */
export function hasSysctl(name: string): boolean {
	return statusOf(`/proc/sys/net/${name}`) !== undefined;
}
