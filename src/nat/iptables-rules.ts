// The rules in iptables: the same elements as in the sets of nf_tables, each written as a rule, since iptables has no sets.
//
// A connection's first packet is compared with one rule after the other, so that it costs the more the more containers
// there are. What drops stands in the table mangle: an ACCEPT of somebody else's in the table filter cannot pass by it.

import { elementsOfAttachment, elementsOfNetworks, elementsOfPolicy, type SetElement } from './elements.ts';
import { familyOf } from '../ip/address.ts';
import type { Family } from './port-mappings.ts';
import type { AttachmentRecord, Records } from './records.ts';

export type TableName = 'mangle' | 'nat';

/** A chain of ours: all of its rules, in the words in which iptables-save gives them back. */
export interface Chain {
	readonly table: TableName;
	readonly name: string;
	readonly rules: readonly string[];
	/** The built-in chains that lead into it. */
	readonly hooks: readonly string[];
}

/** What the names of our chains begin with; iptables takes 28 letters. */
export const PREFIX = 'MESOS-OVERLAY-';

/** The `addrtype`, `conntrack`, `icmp6` and `multiport` matches are all that is needed of a kernel, beside the tables. */
const MULTICAST: Readonly<Record<Family, string>> = { 4: '224.0.0.0/4', 6: 'ff00::/8' };
const NEIGHBOUR_DISCOVERY = [135, 136];
const LOOPBACK = '127.0.0.0/8';

/** A multiport match takes so many ports; a range is two. */
const MOST_PORTS = 15;

/** All chains of a family, as the records want them. */
export function chainsOf(records: Records, family: Family): Chain[] {
	const find = elementsByName(records, family);
	const keys = (name: string): string[] => find(name).map(({ key }) => withPrefix(String(key[0]), family));
	const inside = `-j ${PREFIX}INSIDE`;
	return [
		chain('mangle', 'PREROUTING', ['PREROUTING'], family === 6 ? [] : loopbackRules(find('bridges'))),
		chain(
			'mangle',
			'FORWARD',
			['FORWARD'],
			[
				'-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
				'-m conntrack --ctstate DNAT -j RETURN',
				// Where bridged packets come this way, too, neighbours must find each other before anything can be decided.
				...(family === 6
					? NEIGHBOUR_DISCOVERY.map((type) => `-p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j RETURN`)
					: []),
				...find('allowed_pairs').map(({ key }) => `${between(key, family)} -j RETURN`),
				...allowedPorts(find('allowed_ports'), family),
				...keys('guarded').map((address) => `-d ${address} -j DROP`),
				...keys('isolated').map((address) => `-d ${address} -j DROP`),
				...keys('isolated').map((address) => `-s ${address} ${inside}`),
				...keys('closed').map((network) => `! -s ${network} -d ${network} -j DROP`),
				...keys('closed').map((network) => `-s ${network} ! -d ${network} ${inside}`),
			],
		),
		chain(
			'mangle',
			'INSIDE',
			[],
			keys('containers').map((network) => `-d ${network} -j DROP`),
		),
		chain(
			'nat',
			'PORTS',
			['PREROUTING', 'OUTPUT'],
			[
				'-m addrtype ! --dst-type LOCAL -j RETURN',
				...excludedPorts(find('excluded_devices'), [...find('host_ports'), ...find('host_ip_ports')]),
				...hostPorts(find('host_ip_ports'), family),
				...hostPorts(find('host_ports'), family),
			],
		),
		chain(
			'nat',
			'POSTROUTING',
			['POSTROUTING'],
			[
				`-m conntrack --ctstate DNAT -j ${PREFIX}PUBLISHED`,
				`-j ${PREFIX}MASQ-NETWORKS`,
				`-j ${PREFIX}MASQ-SINGLE`,
			],
		),
		chain(
			'nat',
			'PUBLISHED',
			[],
			[
				...(family === 4 ? [`-s ${LOOPBACK} -j MASQUERADE`] : []),
				...find('same_bridge').map(({ key }) => `${between(key, family)} -j MASQUERADE`),
			],
		),
		chain('nat', 'MASQ-NETWORKS', [], masquerade(keys('masqueraded_overlays'), keys('overlays'), family)),
		chain('nat', 'MASQ-SINGLE', [], masquerade(keys('masqueraded'), keys('subnets'), family)),
	];
}

function chain(table: TableName, name: string, hooks: readonly string[], rules: readonly string[]): Chain {
	return { table, name: PREFIX + name, hooks, rules: [...new Set(rules)] };
}

/** The elements of the sets of a family, by the names of these without it. */
function elementsByName({ networks, ...rest }: Records, family: Family): (name: string) => readonly SetElement[] {
	// The same records make the same rules, whoever came last.
	const attachments = rest.attachments.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
	// Of attachments without labels no policy speaks, and pairs are many.
	const labelled = attachments.filter(({ labels }) => labels.length > 0);
	const elements = [
		...elementsOfNetworks(networks),
		...attachments.flatMap(elementsOfAttachment),
		...labelled.flatMap((record) => elementsOfPolicy(record, labelled)),
	];
	const byName = Map.groupBy(elements, ({ set }) =>
		set.replace(/[46]$/, (digit) => (digit === `${family}` ? '' : '-')),
	);
	return (name) => byName.get(name) ?? [];
}

function nameOf({ containerId, ifname }: AttachmentRecord): string {
	return `${containerId} ${ifname}`;
}

function withPrefix(address: string, family: Family): string {
	return address.includes('/') ? address : `${address}/${family === 4 ? 32 : 128}`;
}

function between([source, destination]: SetElement['key'], family: Family): string {
	return `-s ${withPrefix(String(source), family)} -d ${withPrefix(String(destination), family)}`;
}

/** Who may reach 127.0.0.1 from a bridge, as the host ports there need it, must not do so by itself. */
function loopbackRules(bridges: readonly SetElement[]): string[] {
	return bridges.flatMap(({ key: [bridge] }) => [
		`-d ${LOOPBACK} -i ${bridge} -j DROP`,
		`-s ${LOOPBACK} -i ${bridge} -j DROP`,
	]);
}

function masquerade(sources: readonly string[], inside: readonly string[], family: Family): string[] {
	if (sources.length === 0) return [];
	return [
		...[...inside, MULTICAST[family]].map((network) => `-d ${network} -j RETURN`),
		...sources.map((network) => `-s ${network} -j MASQUERADE`),
	];
}

function allowedPorts(elements: readonly SetElement[], family: Family): string[] {
	const groups = Map.groupBy(elements, ({ key }) => `${between(key, family)} -p ${key[2]}`);
	return [...groups].flatMap(([match, group]) =>
		portMatches(group.map(({ key }) => Number(key[3]))).map((ports) => `${match} ${ports} -j RETURN`),
	);
}

/** Only of ports that lead anywhere, so that IPv6 has no rules because of a container that has none. */
function excludedPorts(elements: readonly SetElement[], ports: readonly SetElement[]): string[] {
	const leading = new Set(ports.map(({ key }) => key.slice(-2).join(' ')));
	const excluded = elements.filter(({ key }) => leading.has(key.slice(-2).join(' ')));
	const groups = Map.groupBy(excluded, ({ key: [device, protocol] }) => `-i ${device} -p ${protocol}`);
	return [...groups].flatMap(([match, group]) =>
		portMatches(group.map(({ key }) => Number(key[2]))).map((each) => `${match} ${each} -j RETURN`),
	);
}

function hostPorts(elements: readonly SetElement[], family: Family): string[] {
	const groups = Map.groupBy(elements, ({ key, data = [] }) => {
		const [address, port] = data;
		const [protocol, hostPort] = key.slice(-2);
		const at = key.length === 3 ? `-d ${withPrefix(String(key[0]), family)} ` : '';
		// Without a port, that of the packet stays, so that one rule does for many.
		const target =
			port === hostPort ? address : `${familyOf(String(address)) === 6 ? `[${address}]` : address}:${port}`;
		return `${at}-p ${protocol} PORTS -j DNAT --to-destination ${target}`;
	});
	return [...groups].flatMap(([rule, group]) =>
		portMatches(group.map(({ key }) => Number(key.at(-1)))).map((ports) => rule.replace('PORTS', ports)),
	);
}

/** The matches that together are met by these destination ports. */
export function portMatches(ports: readonly number[]): string[] {
	const lists: { words: string[]; room: number }[] = [];
	for (const [first, last] of rangesOf(ports)) {
		const size = first === last ? 1 : 2;
		let list = lists.at(-1);
		if (list === undefined || list.room < size) lists.push((list = { words: [], room: MOST_PORTS }));
		list.words.push(first === last ? `${first}` : `${first}:${last}`);
		list.room -= size;
	}
	return lists.map(({ words }) => `-m multiport --dports ${words.join(',')}`);
}

function rangesOf(ports: readonly number[]): [first: number, last: number][] {
	const ranges: [number, number][] = [];
	for (const port of [...new Set(ports)].toSorted((one, other) => one - other)) {
		const range = ranges.at(-1);
		if (range !== undefined && range[1] === port - 1) range[1] = port;
		else ranges.push([port, port]);
	}
	return ranges;
}
