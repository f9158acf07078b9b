// The result of an ADD: its form in memory (that of version 1.1.0), and its way to and from every version's JSON.

import { readDns, withoutEmpty } from './dns.ts';
import { CniError, CniErrorCode } from './errors.ts';
import { fieldsOf, present, readFields, readString } from './fields.ts';
import { quoted } from './quoted.ts';
import { decodeFamilies, encodeFamilies } from './result-families.ts';
import { familyOf } from '../ip/address.ts';
import { decodeList, encodeList } from './result-list.ts';
import { type Version, assertVersionCarries, isSupported, resultShape } from './versions.ts';

export interface Interface {
	name: string;
	mac?: string;
	mtu?: number;
	/** The path of the network namespace; absent for an interface of the host. */
	sandbox?: string;
	socketPath?: string;
	pciID?: string;
}

export interface IpConfig {
	/** CIDR, with its host bits: `9.0.1.2/26`. */
	address: string;
	gateway?: string;
	/** An index into the result's `interfaces`; in what others wrote, it may be -1 or point beyond them. */
	interface?: number;
}

export interface Route {
	dst: string;
	gw?: string;
	mtu?: number;
	advmss?: number;
	priority?: number;
	table?: number;
	scope?: number;
}

export interface Dns {
	nameservers?: string[];
	domain?: string;
	search?: string[];
	options?: string[];
}

/** CNI SPEC 1.1 §5 "Success"; a list that JSON leaves out is empty here. */
export interface Result {
	interfaces: Interface[];
	ips: IpConfig[];
	routes: Route[];
	dns: Dns;
}

/**
 * The result in the shape of `version`. With `mesos`, the shape that Mesos reads (`ip4`, `ip6`, `dns`) stands next to it
 * in the same object. Throws CniError 7 when the version cannot carry the result.
 */
export function encodeResult(result: Result, version: Version, options: { mesos: boolean }): Record<string, unknown> {
	const shape = resultShape(version);
	const dns = withoutEmpty(result.dns);
	const hasDns = Object.keys(dns).length > 0;
	assertVersionCarries(version, addressesPerFamily(result.ips));
	return present({
		cniVersion: version,
		...((options.mesos || shape === 'families') && encodeFamilies(result)),
		...(shape !== 'families' && encodeList(result, version)),
		dns: hasDns || shape !== 'list' ? dns : undefined,
	});
}

/**
 * A decoded result of any supported version; one that does not say its version has the configuration's. `path` is what
 * messages put before a key, such as `prevResult.`. Throws CniError 1 for an unknown version, 7 for a wrong value.
 */
export function decodeResult(value: unknown, configurationVersion: Version, path: string): Result {
	const fields = fieldsOf(value ?? {}, path);
	const version = readString(fields, 'cniVersion') ?? configurationVersion;
	if (!isSupported(version)) {
		throw new CniError(
			CniErrorCode.incompatibleVersion,
			`reading ${path}cniVersion: unsupported CNI result version ${quoted(version)}`,
		);
	}
	const dns = readFields(fields, 'dns');
	return {
		interfaces: [],
		...(resultShape(version) === 'families' ? decodeFamilies(fields) : decodeList(fields)),
		dns: dns === undefined ? {} : readDns(dns),
	};
}

/** How many addresses there are of each family. */
export function addressesPerFamily(ips: readonly IpConfig[]): { 4: number; 6: number } {
	const count = { 4: 0, 6: 0 };
	for (const { address } of ips) count[familyOf(address)] += 1;
	return count;
}
