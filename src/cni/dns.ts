// The `dns` object of configurations and results.

import { type Fields, present, readString, readStrings } from './fields.ts';
import type { Dns } from './result.ts';

/** CNI SPEC 1.1 §5 "dns". Keys without a value are absent from what is returned. */
export function readDns(fields: Fields): Dns {
	return withoutEmpty({
		nameservers: readStrings(fields, 'nameservers'),
		domain: readString(fields, 'domain'),
		search: readStrings(fields, 'search'),
		options: readStrings(fields, 'options'),
	});
}

/** The same without empty strings and lists; undefined members are taken as empty. */
export function withoutEmpty(dns: { [K in keyof Dns]?: Dns[K] | undefined }): Dns {
	return present({
		nameservers: dns.nameservers?.length ? dns.nameservers : undefined,
		domain: dns.domain || undefined,
		search: dns.search?.length ? dns.search : undefined,
		options: dns.options?.length ? dns.options : undefined,
	});
}
