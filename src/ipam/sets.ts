// The range sets of a network, wherever its configuration has them from.

import { type Fields, readString } from '../cni/fields.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import { assertVersionCarries } from '../cni/versions.ts';
import { AGENT_SUBNETS, readAgentRanges } from './agent-ranges.ts';
import { namesRanges, readConfiguredSets } from './configured-ranges.ts';
import { formatSet, rangeSet, type RangeSet } from './range-set.ts';
import { readReserved } from './reserved.ts';
import { invalid } from './subnet.ts';

/** Whether the subnets of a network are for the agent daemon to say. */
export function asksAgent(network: NetworkConfiguration, fields: Fields): boolean {
	for (const key of AGENT_SUBNETS) if (readString(fields, key) !== undefined) return false;
	return !namesRanges(network, fields);
}

/** A set for each half of the agent subnets. Throws CniError as {@link readAgentRanges}. */
export function readAgentSets({ name }: NetworkConfiguration, fields: Fields): RangeSet[] {
	const reserved = readReserved(fields);
	// The gateways of halves lie outside.
	const sets: RangeSet[] = [];
	for (const range of readAgentRanges(fields, name)) {
		const { family } = range.subnet;
		const set = rangeSet(family, [range], reserved?.[family]);
		sets.push(set.spans.length > 0 ? set : refuseEmpty(set, `${fields.path}reserved`));
	}
	return sets;
}

/**
 * The sets of the ranges that the network names. Throws CniError: invalid configuration, also when the version of the result
 * cannot carry so many addresses, or unsupported field.
 */
export function readRangeSets(network: NetworkConfiguration, fields: Fields): RangeSet[] {
	const configured = readConfiguredSets(network, fields);
	refuseAgentSubnet(fields, configured[0]?.key ?? `${fields.path}ranges`);
	const ipv4 = configured.filter(({ family }) => family === 4).length;
	assertVersionCarries(network.cniVersion, { 4: ipv4, 6: configured.length - ipv4 });
	const reserved = readReserved(fields);
	// The gateway of one range may lie in another.
	const gateways = configured.flatMap(({ ranges }) => ranges.map(({ gateway }) => gateway));
	return configured.map(({ key, family, ranges }) => {
		const ofFamily = gateways.filter((gateway) => gateway.family === family);
		const kept = ofFamily.map(({ value }) => ({ first: value, last: value }));
		const set = rangeSet(family, ranges, [...kept, ...(reserved?.[family] ?? [])]);
		return set.spans.length > 0 ? set : refuseEmpty(set, key);
	});
}

function refuseEmpty(set: RangeSet, key: string): never {
	throw invalid(key, formatSet(set), 'has no address for a container, each is a gateway or in ipam.reserved');
}

function refuseAgentSubnet(fields: Fields, other: string): void {
	for (const key of AGENT_SUBNETS) {
		const text = readString(fields, key);
		if (text === undefined) continue;
		const why = `excludes ${other}, since both say where addresses come from; leave one out`;
		throw invalid(fields.path + key, text, why);
	}
}
