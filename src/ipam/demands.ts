// Which of the requested addresses goes to which range.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { RequestedAddress } from '../cni/requested-addresses.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { inRange, type Range } from './agent-subnet.ts';
import type { Demand } from './lease-addresses.ts';
import { formatSubnet, lastAddress } from './subnet.ts';

const INVALID = CniErrorCode.invalidConfiguration;

/** A demand for each range. Throws CniError when an address is asked for that no range can give. */
export function demandsOf(ranges: readonly Range[], requested: readonly RequestedAddress[]): Demand[] {
	const left = new Set(requested);
	const demands = ranges.map((range) => {
		for (const candidate of left) {
			const address = parseAddress(candidate.address);
			if (address === undefined || !inRange(range, address)) continue;
			left.delete(candidate);
			return { range, requested: address };
		}
		return { range, requested: undefined };
	});
	const [surplus] = left;
	if (surplus !== undefined) throw refusal(surplus, ranges);
	return demands;
}

function refusal({ address: text, source }: RequestedAddress, ranges: readonly Range[]): CniError {
	const address = parseAddress(text);
	const range = ranges.find(({ subnet }) => subnet.family === address?.family);
	const [code, why] =
		address === undefined || range === undefined
			? [INVALID, 'the network has no subnet of its family']
			: whyNot(range, address);
	return new CniError(code, `leasing "${text}", which ${source} asks for: ${why}`);
}

function whyNot(range: Range, address: Address): readonly [code: number, why: string] {
	if (inRange(range, address)) return [INVALID, 'only one address of a family can be had'];
	const { subnet, gateway } = range;
	const text = (value: bigint): string => `"${formatAddress({ family: subnet.family, value })}"`;
	const instead = `ask for one from ${text(range.first)} to ${text(range.last)}`;
	if (address.value === gateway.value) return [CniErrorCode.addressTaken, `it is the gateway, ${instead}`];
	if (address.value === subnet.network) return [INVALID, `it is the network address, ${instead}`];
	if (address.value === lastAddress(subnet)) return [INVALID, `it is the broadcast address, ${instead}`];
	return [INVALID, `it is not in the half "${formatSubnet(subnet)}", ${instead}`];
}
