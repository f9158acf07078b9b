// Which of the requested addresses goes to which range set.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { RequestedAddress } from '../cni/requested-addresses.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import type { Demand } from './lease-addresses.ts';
import { formatRange, type Range } from './range.ts';
import { formatSet, inSet, type RangeSet } from './range-set.ts';
import { holds } from './span.ts';
import { lastAddress } from './subnet.ts';

const INVALID = CniErrorCode.invalidConfiguration;
const TAKEN = CniErrorCode.addressTaken;

/** A demand for each range set. Throws CniError when there is none, or an address is asked for that no set can give. */
export function demandsOf(sets: readonly RangeSet[], requested: readonly RequestedAddress[]): Demand[] {
	if (sets.length === 0) throw noRange();
	const left = new Set(requested);
	const demands: Demand[] = [];
	for (const set of sets) demands.push({ set, requested: takeOut(left, set) });
	const [surplus] = left;
	if (surplus !== undefined) throw refusal(surplus, sets);
	return demands;
}

/** The first of the addresses that a set can give, which are then no longer `left`. */
function takeOut(left: Set<RequestedAddress>, set: RangeSet): Address | undefined {
	for (const candidate of left) {
		const address = parseAddress(candidate.address);
		if (address === undefined || !inSet(set, address)) continue;
		left.delete(candidate);
		return address;
	}
	return undefined;
}

function noRange(): CniError {
	const remedy = 'add one, or leave ipam.ranges out for those of an agent subnet';
	return new CniError(INVALID, `reading ipam.ranges: no range is here or in runtimeConfig.ipRanges, ${remedy}`);
}

function refusal({ address: text, source }: RequestedAddress, sets: readonly RangeSet[]): CniError {
	const address = parseAddress(text);
	const [code, why] = address === undefined ? [INVALID, 'it is no address'] : whyNot(sets, address);
	return new CniError(code, `leasing "${text}", which ${source} asks for: ${why}`);
}

function whyNot(sets: readonly RangeSet[], address: Address): readonly [code: number, why: string] {
	const full = sets.find((set) => inSet(set, address));
	if (full !== undefined) return [INVALID, `only one address of "${formatSet(full)}" can be had`];
	const ranges = sets.filter(({ family }) => family === address.family).flatMap((set) => set.ranges);
	if (ranges.length === 0) return [INVALID, 'the network has no subnet of its family'];
	const instead = `ask for one ${ranges.map(fromTo).join(', or ')}`;
	const { value } = address;
	if (ranges.some(({ gateway }) => gateway.value === value)) return [TAKEN, `it is the gateway, ${instead}`];
	if (ranges.some((range) => holds(range, value))) return [TAKEN, `it is reserved, ${instead}`];
	if (ranges.some(({ subnet }) => subnet.network === value))
		return [INVALID, `it is the network address, ${instead}`];
	if (ranges.some(({ subnet }) => subnet.family === 4 && lastAddress(subnet) === value)) {
		return [INVALID, `it is the broadcast address, ${instead}`];
	}
	return [INVALID, `it is not in ${ranges.map((range) => `"${formatRange(range)}"`).join(', ')}, ${instead}`];
}

function fromTo({ subnet: { family }, first, last }: Range): string {
	return `from "${formatAddress({ family, value: first })}" to "${formatAddress({ family, value: last })}"`;
}
