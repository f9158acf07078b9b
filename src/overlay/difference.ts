// How two versions of the same settings differ, and whether what agents have out of the old one fits the new one.

import { contains, formatSubnet, type Subnet } from '../ipam/subnet.ts';
import type { Network, NetworkPart, VtepSettings } from './configuration.ts';
import { sameSubnet } from './subnet-text.ts';

type Value = string | number | boolean;

export interface Difference {
	/** `subnet 9.0.0.0/9 becomes 9.0.0.0/8`. */
	readonly what: string;
	/** Nothing that was handed out has to be changed. */
	readonly fits: boolean;
}

/** How the settings of the tunnel end points differ. */
export function compareVteps(before: VtepSettings, after: VtepSettings): Difference[] {
	return [
		...compareSubnets('vtep_subnet', before.subnet, after.subnet),
		...compareSubnets('vtep_subnet6', before.subnet6, after.subnet6),
		...compareValues(
			'vtep_mac_oui',
			before.macOui,
			after.macOui,
			before.macOui.toLowerCase() === after.macOui.toLowerCase(),
		),
		...compareValues('vtep_mtu', before.mtu, after.mtu, true),
	];
}

/** How a network differs. */
export function compareNetworks(before: Network, after: Network): Difference[] {
	return [
		...compareParts('', before.ipv4, after.ipv4),
		...compareParts('6', before.ipv6, after.ipv6),
		...compareValues('enabled', before.enabled ?? true, after.enabled ?? true, true),
	];
}

function compareParts(suffix: '' | '6', before: NetworkPart | undefined, after: NetworkPart | undefined): Difference[] {
	const isNew = before === undefined;
	return [
		...compareSubnets(`subnet${suffix}`, before?.subnet, after?.subnet),
		...(after === undefined ? [] : compareValues(`prefix${suffix}`, before?.prefix, after.prefix, isNew)),
	];
}

/** A subnet may come, and it may become part of a larger one. */
function compareSubnets(key: string, before: Subnet | undefined, after: Subnet | undefined): Difference[] {
	if (sameSubnet(before, after)) return [];
	const fits = before === undefined || (after !== undefined && contains(after, before));
	return [{ what: describe(key, before && formatSubnet(before), after && formatSubnet(after)), fits }];
}

function compareValues(key: string, before: Value | undefined, after: Value | undefined, fits: boolean): Difference[] {
	return before === after ? [] : [{ what: describe(key, before, after), fits }];
}

function describe(key: string, before: Value | undefined, after: Value | undefined): string {
	if (before === undefined) return `${key} ${after} is added`;
	return after === undefined ? `${key} ${before} is left out` : `${key} ${before} becomes ${after}`;
}
