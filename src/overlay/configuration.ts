// The configuration of the virtual networks: `dcos_overlay_network` of the original's config.yaml.

import { present } from '../cni/fields.ts';
import { formatSubnet, type Subnet } from '../ipam/subnet.ts';
import { subnetOf } from './subnet-text.ts';

/** What a network has of one family: an overlay subnet, divided into agent subnets of one prefix length. */
export interface NetworkPart {
	readonly subnet: Subnet;
	readonly prefix: number;
}

/** A virtual network; it has a part in one family at least. */
export interface Network {
	readonly name: string;
	readonly ipv4?: NetworkPart;
	readonly ipv6?: NetworkPart;
	/** False: agents are given no subnets of it. Absent counts as true. */
	readonly enabled?: boolean;
}

/** What the tunnel end points of all agents have in common. */
export interface VtepSettings {
	readonly subnet: Subnet;
	readonly subnet6?: Subnet;
	/** As it was written: `70:B3:D5:00:00:00`. */
	readonly macOui: string;
	/** In bytes. Absent: each agent computes it from its underlay. */
	readonly mtu?: number;
}

export interface OverlayConfiguration {
	readonly vtep: VtepSettings;
	readonly networks: readonly Network[];
}

/** A network as it is written. */
export interface WrittenNetwork {
	readonly name: string;
	readonly subnet?: string;
	readonly prefix?: number;
	readonly subnet6?: string;
	readonly prefix6?: number;
	readonly enabled?: boolean;
}

/** The settings of the tunnel end points as they are written. */
export interface WrittenVtep {
	readonly vtep_subnet: string;
	readonly vtep_subnet6?: string;
	readonly vtep_mac_oui: string;
	readonly vtep_mtu?: number;
}

/** The whole as it is written; also the `network` of the master's state. */
export interface WrittenConfiguration extends WrittenVtep {
	readonly overlays: readonly WrittenNetwork[];
}

/** Takes a configuration in which there is no problem. */
export function decodeConfiguration({ overlays, ...vtep }: WrittenConfiguration): OverlayConfiguration {
	return { vtep: decodeVtep(vtep), networks: overlays.map(decodeNetwork) };
}

export function decodeNetwork({ name, subnet, prefix, subnet6, prefix6, enabled }: WrittenNetwork): Network {
	const part = (text?: string, length?: number): NetworkPart | undefined =>
		text === undefined || length === undefined ? undefined : { subnet: subnetOf(text), prefix: length };
	return present({ name, ipv4: part(subnet, prefix), ipv6: part(subnet6, prefix6), enabled });
}

export function encodeNetwork({ name, ipv4, ipv6, enabled }: Network): WrittenNetwork {
	return present({
		enabled,
		name,
		prefix: ipv4?.prefix,
		prefix6: ipv6?.prefix,
		subnet: ipv4 && formatSubnet(ipv4.subnet),
		subnet6: ipv6 && formatSubnet(ipv6.subnet),
	});
}

export function decodeVtep({ vtep_subnet, vtep_subnet6, vtep_mac_oui, vtep_mtu }: WrittenVtep): VtepSettings {
	return present({
		subnet: subnetOf(vtep_subnet),
		subnet6: vtep_subnet6 === undefined ? undefined : subnetOf(vtep_subnet6),
		macOui: vtep_mac_oui,
		mtu: vtep_mtu,
	});
}

export function encodeVtep({ subnet, subnet6, macOui, mtu }: VtepSettings): WrittenVtep {
	return present({
		vtep_mac_oui: macOui,
		vtep_mtu: mtu,
		vtep_subnet: formatSubnet(subnet),
		vtep_subnet6: subnet6 && formatSubnet(subnet6),
	});
}
