// The resolver of the containers, out of a file such as /etc/resolv.conf: `resolvConf`.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { withoutEmpty } from '../cni/dns.ts';
import type { Dns } from '../cni/result.ts';
import { readText, statusOf } from '../linux/files.ts';
import { systemCode } from '../linux/errno.ts';

/** Reads a file. Throws CniError (I/O) with the path when it cannot be read. */
export function readResolvConf(path: string): Dns {
	try {
		const kind = statusOf(path, { follow: true })?.kind;
		if (kind === undefined)
			throw unreadable(path, 'there is no such file; make it, or set ipam.resolvConf to another');
		// A pipe may have no end.
		if (kind !== 'file') throw unreadable(path, `it is a ${kind}`);
		return decodeResolvConf(readText(path));
	} catch (error) {
		const code = systemCode(error);
		throw code === undefined ? error : unreadable(path, code);
	}
}

function unreadable(path: string, why: string): CniError {
	return new CniError(CniErrorCode.ioFailure, `reading the resolver configuration "${path}": ${why}`);
}

/** Reads the text of a file as host-local does, resolv.conf(5): of several `domain` the last counts, lists are joined. */
export function decodeResolvConf(text: string): Dns {
	const nameservers: string[] = [];
	const search: string[] = [];
	const options: string[] = [];
	let domain: string | undefined;
	for (const line of text.split('\n')) {
		const [keyword, ...values] = line.trim().split(/\s+/);
		// A comment, `#` or `;`, is no keyword either.
		if (keyword === 'nameserver') nameservers.push(...values.slice(0, 1));
		if (keyword === 'domain') domain = values[0] ?? domain;
		if (keyword === 'search') search.push(...values);
		if (keyword === 'options') options.push(...values);
	}
	return withoutEmpty({ nameservers, domain, search, options });
}
