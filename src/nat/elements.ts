// Decides what the sets and maps of the table hold, from what is remembered of networks and attachments.

import { familyOf } from '../ip/address.ts';
import { contains, networkOf, parseCidr } from '../ip/cidr.ts';
import { type Family, type PortMapping, portsOf, type Protocol } from './port-mappings.ts';
import type { AttachmentRecord, NetworkRecord, PortRecord } from './records.ts';
import type { SetName } from './sets.ts';

/** An element by the values of its fields, as sets.ts has their types. A CIDR stands for all of its addresses. */
export interface SetElement {
	readonly set: SetName;
	readonly key: readonly (string | number)[];
	/** What a map gives for the key. */
	readonly data?: readonly (string | number)[];
}

/** What belongs to an attachment alone: nobody else may have the same keys. */
export function elementsOfAttachment(record: AttachmentRecord): SetElement[] {
	return [
		...record.portMappings.flatMap((mapping) => elementsOfMapping(mapping, record)),
		...(record.port === undefined ? [] : elementsOfPort(record.port)),
		...record.addresses.flatMap((address) => {
			const family = familyOf(address);
			return [
				...(record.masquerade ? [{ set: `masqueraded${family}` as const, key: [address] }] : []),
				...(record.isolation === 'container' ? [{ set: `isolated${family}` as const, key: [address] }] : []),
				...(isGuarded(record) ? [{ set: `guarded${family}` as const, key: [address] }] : []),
			];
		}),
	];
}

function elementsOfPort({ name, mac, addresses }: PortRecord): SetElement[] {
	return [
		{ set: 'own_macs', key: [name, mac] },
		...(addresses ?? []).map((address): SetElement => ({
			set: `own_addresses${familyOf(address)}`,
			key: [name, address],
		})),
		{ set: 'checked_ports', key: [name] },
		...(addresses === undefined ? [] : [{ set: 'strict_ports', key: [name] } as const]),
	];
}

function elementsOfMapping(mapping: PortMapping, record: AttachmentRecord): SetElement[] {
	const { addresses, gateways, excludeDevices } = record;
	const elements: SetElement[] = [];
	for (const family of mapping.families) {
		const address = addresses.find((candidate) => familyOf(candidate) === family);
		const gateway = gateways.find((candidate) => familyOf(candidate) === family);
		if (address === undefined) continue;
		for (const [hostPort, containerPort] of portsOf(mapping)) {
			elements.push({ ...hostPortElement(mapping, family, hostPort), data: [address, containerPort] });
			if (gateway !== undefined) elements.push(...loopbackElements(mapping, family, hostPort, gateway));
		}
	}
	for (const device of excludeDevices) {
		for (const [hostPort] of portsOf(mapping)) {
			elements.push({ set: 'excluded_devices', key: [device, mapping.protocol, hostPort] });
		}
	}
	return elements;
}

/** None for a port of one address of the host that is no loopback address. */
function loopbackElements(
	{ protocol, hostIp }: PortMapping,
	family: Family,
	port: number,
	gateway: string,
): SetElement[] {
	if (hostIp === undefined) return [{ set: `loopback_sources${family}`, key: [protocol, port], data: [gateway] }];
	const isLoopback = hostIp === '::1' || hostIp.startsWith('127.');
	return isLoopback ? [{ set: `loopback_ip_sources${family}`, key: [hostIp, protocol, port], data: [gateway] }] : [];
}

/** The key of a port of the host in the map that leads into containers. */
export function hostPortElement(
	{ protocol, hostIp }: { readonly protocol: Protocol; readonly hostIp?: string },
	family: Family,
	port: number,
): SetElement {
	return hostIp === undefined
		? { set: `host_ports${family}`, key: [protocol, port] }
		: { set: `host_ip_ports${family}`, key: [hostIp, protocol, port] };
}

/** Whether somebody's policy says who may reach it, so that all others may not. */
function isGuarded({ policy, labels }: AttachmentRecord): boolean {
	return policy?.some(({ to }) => labels.includes(to)) ?? false;
}

/** The pairs of containers that a policy lets talk, of which one is `record`; the other may be itself. */
export function elementsOfPolicy(record: AttachmentRecord, attachments: readonly AttachmentRecord[]): SetElement[] {
	return attachments.flatMap((other) => [
		...pairs(record, other),
		...(isSame(record, other) ? [] : pairs(other, record)),
	]);
}

/** What lets `from` reach `to`; it is the policy of the latter that counts. */
function pairs(from: AttachmentRecord, to: AttachmentRecord): SetElement[] {
	if (from.network !== to.network) return [];
	const rules = to.policy?.filter((rule) => to.labels.includes(rule.to) && from.labels.includes(rule.from)) ?? [];
	return rules.flatMap(({ ports }) =>
		to.addresses.flatMap((address) => {
			const family = familyOf(address);
			return from.addresses
				.filter((source) => familyOf(source) === family)
				.flatMap((source): SetElement[] => {
					if (ports === undefined) return [{ set: `allowed_pairs${family}`, key: [source, address] }];
					return ports.flatMap(({ protocol, first, last }) =>
						Array.from({ length: last - first + 1 }, (_, at) => ({
							set: `allowed_ports${family}` as const,
							key: [source, address, protocol, first + at],
						})),
					);
				});
		}),
	);
}

/** Whether two records are of one attachment. */
export function isSame(one: AttachmentRecord, other: AttachmentRecord): boolean {
	return one.containerId === other.containerId && one.ifname === other.ifname;
}

/** What networks share. Of subnets that lie in one another only the widest is kept, since intervals must not overlap. */
export function elementsOfNetworks(networks: readonly NetworkRecord[]): SetElement[] {
	const wide = (set: SetName, cidrs: readonly string[]): SetElement[] =>
		widest(cidrs).map((cidr) => ({ set: withFamily(set, cidr), key: [cidr] }));
	const pairsOf = (set: SetName, cidrs: readonly string[]): SetElement[] =>
		widest(cidrs).map((cidr) => ({ set: withFamily(set, cidr), key: [cidr, cidr] }));
	const overlays = networks.flatMap((each) => each.overlays);
	const subnets = networks.flatMap((each) => each.subnets);
	const closed = networks.filter(({ isolation }) => isolation === 'network').flatMap(extentOf);
	return [
		...wide('overlays4', overlays),
		...wide(
			'masqueraded_overlays4',
			networks.filter(({ masquerade }) => masquerade).flatMap((each) => each.overlays),
		),
		...wide('containers4', [...overlays, ...subnets]),
		...wide('subnets4', subnets),
		...pairsOf('same_bridge4', subnets),
		...wide('closed4', closed),
		...pairsOf('same_network4', closed),
		...[...new Set(networks.map(({ bridge }) => bridge))].map((bridge) => ({
			set: 'bridges' as const,
			key: [bridge],
		})),
	];
}

/** Everywhere that a network is: on all hosts, or on this one when it has no other part. */
function extentOf({ overlays, subnets }: NetworkRecord): readonly string[] {
	return overlays.length > 0 ? overlays : subnets;
}

/** The CIDRs that lie in no other one of the list, each once. */
export function widest(cidrs: readonly string[]): string[] {
	const unique = [...new Set(cidrs)];
	return unique.filter((cidr) => !unique.some((other) => other !== cidr && lies(cidr, other)));
}

function lies(inner: string, outer: string): boolean {
	const [one, other] = [parseCidr(inner), parseCidr(outer)];
	return one !== undefined && other !== undefined && other.prefix <= one.prefix && contains(other, networkOf(one));
}

/** The set of the family of a CIDR, given that of IPv4. */
function withFamily(set: SetName, cidr: string): SetName {
	return familyOf(cidr) === 6 ? (set.replace(/4$/, '6') as SetName) : set;
}
