// What becomes of a packet: by the sets of nf_tables, as skeleton.nft has its rules, and by the rules of iptables. What the
// host sends itself by its loopback addresses is another matter in each.
import { contains, parseCidr } from '../../src/ip/cidr.ts';
import { parseIp } from '../../src/ip/address.ts';
import { elementsOfAttachment, elementsOfNetworks, elementsOfPolicy } from '../../src/nat/elements.ts';
import { type Chain, chainsOf, PREFIX } from '../../src/nat/iptables-rules.ts';
import type { Family } from '../../src/nat/port-mappings.ts';
import type { Records } from '../../src/nat/records.ts';

export interface Packet {
	readonly family: Family;
	readonly source: string;
	readonly destination: string;
	readonly protocol: string;
	readonly port: number;
	readonly device: string;
	readonly isLocal: boolean;
	readonly isEstablished: boolean;
	readonly isTranslated: boolean;
}

/** By the hook: dropped, sent elsewhere, masqueraded, or nothing of these. */
export interface Fate {
	readonly prerouting: string;
	readonly forward: 'drop' | 'pass';
	readonly postrouting: 'masquerade' | 'pass';
}

/** As skeleton.nft says. */
export function fateBySets({ networks, attachments }: Records, packet: Packet): Fate {
	const { family, source, destination, protocol, port, device } = packet;
	const elements = [
		...elementsOfNetworks(networks),
		...attachments.flatMap(elementsOfAttachment),
		...attachments.flatMap((record) => elementsOfPolicy(record, attachments)),
	];
	const find = (set: string, ...key: (string | number)[]) =>
		elements.find((element) => element.set === set && element.key.every((each, at) => covers(each, key[at])));
	const has = (set: string, ...key: (string | number)[]) => find(`${set}${family}`, ...key) !== undefined;
	const isInside = has('containers', destination);
	const isMulticast = covers('224.0.0.0/4', destination) || covers('ff00::/8', destination);
	const translated = (
		find(`host_ip_ports${family}`, destination, protocol, port) ?? find(`host_ports${family}`, protocol, port)
	)?.data?.join(' ');
	const isExcluded = find('excluded_devices', device, protocol, port) !== undefined;
	const isAllowed =
		packet.isEstablished ||
		packet.isTranslated ||
		(protocol === 'ipv6-icmp' && [135, 136].includes(port)) ||
		has('allowed_pairs', source, destination) ||
		has('allowed_ports', source, destination, protocol, port);
	const isBarred =
		has('guarded', destination) ||
		has('isolated', destination) ||
		(has('isolated', source) && isInside) ||
		(has('closed', destination) && !has('same_network', source, destination)) ||
		(has('closed', source) && isInside && !has('same_network', source, destination));
	const isMasqueraded =
		(packet.isTranslated && has('same_bridge', source, destination)) ||
		(!isMulticast && has('masqueraded_overlays', source) && !has('overlays', destination)) ||
		(!isMulticast && has('masqueraded', source) && !has('subnets', destination));
	return {
		prerouting: packet.isLocal && !isExcluded && translated !== undefined ? translated : 'pass',
		forward: !isAllowed && isBarred ? 'drop' : 'pass',
		postrouting: isMasqueraded ? 'masquerade' : 'pass',
	};
}

function covers(key: string | number, value: string | number | undefined): boolean {
	const network = typeof key === 'string' && key.includes('/') ? parseCidr(key) : undefined;
	const address = typeof value === 'string' ? parseIp(value) : undefined;
	return network === undefined ? key === value : address !== undefined && contains(network, address);
}

/** As the rules of iptables say. */
export function fateByRules(records: Records, packet: Packet): Fate {
	const chains = chainsOf(records, packet.family);
	const verdict = (table: Chain['table'], hook: string): string => {
		const entered = chains.find((chain) => chain.table === table && chain.hooks.includes(hook));
		return walk(chains, entered, packet) ?? 'pass';
	};
	return {
		prerouting: verdict('nat', 'PREROUTING'),
		forward: verdict('mangle', 'FORWARD') === 'DROP' ? 'drop' : 'pass',
		postrouting: verdict('nat', 'POSTROUTING') === 'MASQUERADE' ? 'masquerade' : 'pass',
	};
}

function walk(chains: readonly Chain[], chain: Chain | undefined, packet: Packet): string | undefined {
	for (const rule of chain?.rules ?? []) {
		const [conditions = '', action = ''] = rule.split(/ ?-j /u);
		if (!conditionsOf(conditions).every((condition) => isMet(condition, packet))) continue;
		const [target = '', , to = ''] = action.split(' ');
		if (target === 'RETURN') return undefined;
		if (target === 'DNAT') return destinationOf(to, packet);
		const called = chains.find((each) => each.table === chain?.table && each.name === target);
		if (target.startsWith(PREFIX) && called === undefined) throw new Error(`there is no chain ${target}`);
		const verdict = called === undefined ? target : walk(chains, called, packet);
		if (verdict !== undefined) return verdict;
	}
	return undefined;
}

/** `! -s 9.0.0.0/8` and the like, one by one. */
function conditionsOf(words: string): string[] {
	return words === '' ? [] : words.split(/ (?=(?:! )?--?[a-z])(?<!! )/u);
}

function isMet(condition: string, packet: Packet): boolean {
	const isNot = condition.includes('! ');
	const [option = '', value = ''] = condition.replace('! ', '').split(' ');
	const met = {
		'-s': () => covers(value, packet.source),
		'-d': () => covers(value, packet.destination),
		'-i': () => value === packet.device,
		'-p': () => value === packet.protocol,
		'-m': () => true,
		'--dst-type': () => value === 'LOCAL' && packet.isLocal,
		'--icmpv6-type': () => Number(value) === packet.port,
		'--ctstate': () => (value === 'DNAT' ? packet.isTranslated : packet.isEstablished),
		'--dports': () =>
			value.split(',').some((range) => {
				const [first, last = first] = range.split(':').map(Number);
				return first !== undefined && last !== undefined && first <= packet.port && packet.port <= last;
			}),
	}[option];
	if (met === undefined) throw new Error(`what is "${condition}"?`);
	return met() !== isNot;
}

function destinationOf(to: string, packet: Packet): string {
	const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+|[^.]+))(?::(\d+))?$/u.exec(to) ?? [];
	return `${bracketed ?? plain} ${port ?? packet.port}`;
}
