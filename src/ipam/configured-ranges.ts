// Ranges by the keys of host-local: `ranges`, `subnet` and its companions, and `ipRanges` of the runtime.
//
// plugins/ipam/host-local/backend/allocator/config.go, range.go, range_set.go

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, readFieldsList, readList, readString, refuse } from '../cni/fields.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import { type Address, ADDRESS_BITS, type Family, formatAddress, parseAddress } from './address.ts';
import type { Range } from './range.ts';
import { type OnLinkGateways, readOnLinkGateways, routedRange } from './routed.ts';
import { overlap, type Span } from './span.ts';
import { formatSubnet, hasAddress, invalid, lastAddress, readSubnet, type Subnet } from './subnet.ts';

const KEYS = ['subnet', 'rangeStart', 'rangeEnd', 'gateway'] as const;
const MARKS = ['ranges', 'subnet', 'rangestart', 'rangeend', 'gateway'] as const;

/** A range, and what stands before its keys in messages: `ipam.ranges[0][1].`. */
interface ConfiguredRange extends Range {
	readonly path: string;
}

/** A range set: one range or more, of one family. */
export interface ConfiguredSet {
	/** What names it: `ipam.ranges[0]`. */
	readonly key: string;
	readonly family: Family;
	readonly ranges: readonly ConfiguredRange[];
}

/** Whether a network gets its addresses from ranges; an empty `ranges` leaves them to the runtime. Throws CniError 7. */
export function namesRanges({ runtimeConfig }: NetworkConfiguration, ipam: Fields): boolean {
	// As a rule none of the keys is there, and then this is all that an ADD does about ranges.
	if (!runtimeConfig?.entries.has('ipranges') && !hasMark(ipam)) return false;
	const ofRuntime = runtimeConfig && readList(runtimeConfig, 'ipRanges');
	if (readList(ipam, 'ranges') !== undefined || (ofRuntime !== undefined && ofRuntime.length > 0)) return true;
	return KEYS.some((key) => readString(ipam, key) !== undefined);
}

function hasMark(ipam: Fields): boolean {
	for (const key of MARKS) if (ipam.entries.has(key)) return true;
	return false;
}

/**
 * The sets of `runtimeConfig.ipRanges`, then that of `ipam.subnet`, then those of `ipam.ranges`. No two ranges
 * overlap. Throws CniError: invalid configuration, or unsupported field for an unknown key of a range.
 */
export function readConfiguredSets({ name, runtimeConfig }: NetworkConfiguration, ipam: Fields): ConfiguredSet[] {
	const gateways = readOnLinkGateways(ipam, name);
	const ofRuntime = runtimeConfig === undefined ? [] : readSets(runtimeConfig, 'ipRanges', gateways);
	const sets = [...ofRuntime, ...readFlatSet(ipam, gateways), ...readSets(ipam, 'ranges', gateways)];
	refuseOverlaps(sets.flatMap(({ ranges }) => ranges));
	return sets;
}

function readSets(fields: Fields, key: string, gateways: OnLinkGateways | undefined): ConfiguredSet[] {
	return (readList(fields, key) ?? []).map((list, index) => {
		const at = `${key}[${index}]`;
		const entries = readFieldsList({ ...fields, entries: new Map([[at.toLowerCase(), list]]) }, at) ?? [];
		const ranges = entries.map((entry) => readListed(entry, gateways));
		return configuredSet(fields.path + at, ranges);
	});
}

function configuredSet(key: string, ranges: readonly ConfiguredRange[]): ConfiguredSet {
	const [first] = ranges;
	if (first === undefined) throw broken(key, 'a set needs a range, add one or leave the set out');
	const { family } = first.subnet;
	for (const { path, subnet } of ranges) {
		if (subnet.family === family) continue;
		const why = `is of another family than "${formatSubnet(first.subnet)}", give it a set of its own`;
		throw invalid(`${path}subnet`, formatSubnet(subnet), why);
	}
	return { key, family, ranges };
}

/** The set of a single range whose keys stand in `ipam` itself. */
function readFlatSet(ipam: Fields, gateways: OnLinkGateways | undefined): ConfiguredSet[] {
	const lonely = KEYS.find((key) => readString(ipam, key) !== undefined);
	if (lonely === undefined) return [];
	if (lonely !== 'subnet') throw broken(ipam.path + lonely, `it belongs to a range, set ${ipam.path}subnet, too`);
	return [configuredSet(`${ipam.path}subnet`, [readRange(ipam, gateways)])];
}

/** A range in a list. An unknown key is refused: a misspelt `rangeEnd` would give what belongs to others. */
function readListed(fields: Fields, gateways: OnLinkGateways | undefined): ConfiguredRange {
	for (const key of fields.entries.keys()) {
		if (KEYS.some((known) => known.toLowerCase() === key)) continue;
		const message = `reading ${fields.path}${key}: a range has no such key, only ${KEYS.join(', ')}`;
		throw new CniError(CniErrorCode.unsupportedField, message);
	}
	return readRange(fields, gateways);
}

function readRange(fields: Fields, gateways: OnLinkGateways | undefined): ConfiguredRange {
	const { path } = fields;
	const expected = 'a subnet such as 10.1.2.0/24';
	const text = readString(fields, 'subnet') ?? refuse(fields, 'subnet', expected, undefined) ?? '';
	const subnet = readSubnet(text, `${path}subnet`);
	const { family, network } = subnet;
	const configured = readMember(fields, 'gateway', subnet);
	if (gateways !== undefined) {
		const range = routedRange(subnet, configured ?? gateways[family]);
		return { path, ...range, ...readLimits(fields, subnet, range) };
	}
	const longest = ADDRESS_BITS[family] - 2;
	if (subnet.prefix > longest) {
		throw invalid(`${path}subnet`, text, `is too small, its prefix length can be ${longest} at most`);
	}
	const gateway = configured ?? { family, value: network + 1n };
	// Nobody gets the network address, nor the broadcast address of IPv4, even where a range includes them.
	const widest = { first: network + 1n, last: lastAddress(subnet) - (family === 4 ? 1n : 0n) };
	return { path, subnet, prefix: subnet.prefix, gateway, ...readLimits(fields, subnet, widest) };
}

function readLimits(fields: Fields, subnet: Subnet, { first: lowest, last: highest }: Span): Span {
	const start = readInside(fields, 'rangeStart', subnet);
	const end = readInside(fields, 'rangeEnd', subnet);
	const first = start === undefined || start.value < lowest ? lowest : start.value;
	const last = end === undefined || end.value > highest ? highest : end.value;
	if (first <= last) return { first, last };
	const text = (value: bigint): string => formatAddress({ family: subnet.family, value });
	if (end !== undefined) {
		const why = `is before "${text(first)}", the first address; set rangeStart lower, or rangeEnd higher`;
		throw invalid(`${fields.path}rangeEnd`, text(end.value), why);
	}
	throw invalid(`${fields.path}rangeStart`, text(first), `is after "${text(last)}", the last address; set it lower`);
}

/** An address of the subnet. */
function readInside(fields: Fields, key: string, subnet: Subnet): Address | undefined {
	const address = readMember(fields, key, subnet);
	if (address === undefined || hasAddress(subnet, address)) return address;
	throw invalid(fields.path + key, formatAddress(address), `is not in the subnet "${formatSubnet(subnet)}"`);
}

/** An address of the subnet's family. */
function readMember(fields: Fields, key: string, { family }: Subnet): Address | undefined {
	const text = readString(fields, key);
	const address = text === undefined ? undefined : parseAddress(text);
	if (text === undefined || address?.family === family) return address;
	const example = family === 4 ? '10.1.2.9' : 'fd00:9::9';
	throw invalid(fields.path + key, text, `is no IPv${family} address, write it as "${example}"`);
}

function refuseOverlaps(ranges: readonly ConfiguredRange[]): void {
	for (const [index, range] of ranges.entries()) {
		const { subnet, path } = range;
		const other = ranges.slice(0, index).find((one) => one.subnet.family === subnet.family && overlap(one, range));
		if (other === undefined) continue;
		const why = `overlaps ${other.path}subnet, "${formatSubnet(other.subnet)}"; part them by rangeStart and rangeEnd`;
		throw invalid(`${path}subnet`, formatSubnet(subnet), why);
	}
}

function broken(key: string, why: string): CniError {
	return new CniError(CniErrorCode.invalidConfiguration, `reading ${key}: ${why}`);
}
