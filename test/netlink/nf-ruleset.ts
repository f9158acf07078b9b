// A ruleset that uses all that there is for rules and sets: as nft reads it, and as we send it.
import { join } from 'node:path';
import type { Attribute } from '../../src/netlink/attribute.ts';
import type { Request } from '../../src/netlink/message.ts';
import {
	accept,
	counter,
	drop,
	giveBack,
	goTo,
	jump,
	masquerade,
	NF_NAT_RANGE_PROTO_RANDOM_FULLY,
	rewriteAddress,
	rewriteAddressFrom,
	setMark,
	translateDestination,
} from '../../src/netlink/nf-action.ts';
import { createChain, type Hook } from '../../src/netlink/nf-chain.ts';
import { encodeFields, type FieldType } from '../../src/netlink/nf-field.ts';
import {
	arpSenderIp,
	arpSenderMac,
	connectionMark,
	connectionState,
	destinationPort,
	etherDestination,
	etherSource,
	icmpv6Type,
	inputInterface,
	ip6Destination,
	ip6Source,
	ipDestination,
	ipSource,
	mark,
	outputInterface,
	protocol,
	type Selector,
	sourcePort,
	transportProtocol,
} from '../../src/netlink/nf-load.ts';
import {
	carries,
	ETH_P_ARP,
	ETH_P_IP,
	ETH_P_IPV6,
	hasBits,
	hostNumber,
	is,
	isBetween,
	isDestinationTranslated,
	isFamily,
	isFromLocal,
	isIn,
	isInNetwork,
	isState,
	isToLocal,
	STATE_ESTABLISHED,
	STATE_INVALID,
	STATE_NEW,
	STATE_RELATED,
} from '../../src/netlink/nf-match.ts';
import { NFPROTO_BRIDGE, NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6, type Table } from '../../src/netlink/nf-message.ts';
import { appendRule } from '../../src/netlink/nf-rule.ts';
import { createSet, type SetLayout } from '../../src/netlink/nf-set.ts';
import { createTable } from '../../src/netlink/nf-table.ts';

export const inet: Table = { family: NFPROTO_INET, name: 'mesos_overlay' };
export const bridge: Table = { family: NFPROTO_BRIDGE, name: 'mesos_overlay' };

/** What `nft -f` takes. */
export const file = join(import.meta.dirname, 'nf-ruleset.nft');

const field = (type: FieldType, value: string | number): Buffer => encodeFields([type], [value]);

export const sets: Record<'inet' | 'bridge', readonly SetLayout[]> = {
	inet: [
		{ name: 'host_ports4', key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
		{
			name: 'host_ip_ports4',
			key: ['ipv4_addr', 'inet_proto', 'inet_service'],
			data: ['ipv4_addr', 'inet_service'],
		},
		{ name: 'host_ports6', key: ['inet_proto', 'inet_service'], data: ['ipv6_addr', 'inet_service'] },
		{
			name: 'host_ip_ports6',
			key: ['ipv6_addr', 'inet_proto', 'inet_service'],
			data: ['ipv6_addr', 'inet_service'],
		},
		{ name: 'loopback_sources4', key: ['inet_proto', 'inet_service'], data: ['ipv4_addr'] },
		{ name: 'loopback_sources6', key: ['inet_proto', 'inet_service'], data: ['ipv6_addr'] },
		{
			name: 'excluded_devices',
			key: ['ifname', 'inet_proto', 'inet_service'],
			comment: 'where host ports do not exist',
		},
		{ name: 'overlays4', key: ['ipv4_addr'], intervals: true },
		{ name: 'overlays6', key: ['ipv6_addr'], intervals: true },
		{ name: 'masqueraded4', key: ['ipv4_addr'] },
		{ name: 'masqueraded6', key: ['ipv6_addr'] },
		{ name: 'same_bridge4', key: ['ipv4_addr', 'ipv4_addr'], intervals: true },
		{ name: 'same_bridge6', key: ['ipv6_addr', 'ipv6_addr'], intervals: true, size: 5000 },
		{ name: 'allowed4', key: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'] },
		{ name: 'allowed6', key: ['ipv6_addr', 'ipv6_addr', 'inet_proto', 'inet_service'] },
		{ name: 'guarded4', key: ['ipv4_addr'], size: 1000, comment: 'none shall pass' },
		{ name: 'ports', key: ['inet_service'], intervals: true },
		{ name: 'protocols', key: ['inet_proto'] },
		{ name: 'marks', key: ['mark'] },
		{ name: 'mark_of', key: ['ifname'], data: ['mark'] },
		{ name: 'mac_of', key: ['ipv4_addr'], data: ['ether_addr'] },
		{
			name: 'everything',
			key: ['ether_addr', 'mark', 'inet_proto', 'ifname'],
			data: ['mark', 'ether_addr', 'inet_proto'],
			intervals: true,
		},
	],
	bridge: [
		{ name: 'checked_ports', key: ['ifname'] },
		{ name: 'own_macs', key: ['ifname', 'ether_addr'] },
		{ name: 'own_addresses4', key: ['ifname', 'ipv4_addr'] },
		{ name: 'own_addresses6', key: ['ifname', 'ipv6_addr'] },
	],
};

const ip = isFamily(NFPROTO_IPV4);
const ip6 = isFamily(NFPROTO_IPV6);
const servedAt = [transportProtocol, destinationPort];
const to = (network: string, prefix: number, not = {}): Attribute[] =>
	isInNetwork(ipDestination, field('ipv4_addr', network), prefix, not);

interface Chain {
	readonly hook?: Hook;
	readonly rules: readonly (readonly Attribute[])[];
}

const inetChains: Record<string, Chain> = {
	prerouting: {
		hook: { type: 'nat', hook: 'prerouting', priority: -100 },
		rules: [[...isToLocal(), jump('host_ports')]],
	},
	output: { hook: { type: 'nat', hook: 'output', priority: -100 }, rules: [[...isToLocal(), jump('host_ports')]] },
	loopback_out: {
		hook: { type: 'filter', hook: 'output', priority: -300 },
		rules: [
			[
				...ip6,
				...is(ip6Source, field('ipv6_addr', '::1')),
				...is(ip6Destination, field('ipv6_addr', '::1')),
				...rewriteAddressFrom('loopback_sources6', ip6Source, servedAt),
			],
			[
				...ip,
				...is(ipSource, field('ipv4_addr', '127.0.0.1')),
				...to('127.0.0.0', 8),
				...rewriteAddressFrom('loopback_sources4', ipSource, servedAt),
			],
		],
	},
	loopback_in: {
		hook: { type: 'filter', hook: 'input', priority: 110 },
		rules: [
			[
				...ip6,
				...is(ip6Source, field('ipv6_addr', '::1')),
				...is(inputInterface, field('ifname', 'lo'), { not: true }),
				...rewriteAddress(ip6Destination, field('ipv6_addr', '::1')),
			],
			[
				...ip,
				...isInNetwork(ipSource, field('ipv4_addr', '127.0.0.0'), 8),
				...is(inputInterface, field('ifname', 'lo'), { not: true }),
				...rewriteAddress(ipDestination, field('ipv4_addr', '127.0.0.1')),
			],
		],
	},
	host_ports: {
		rules: [
			[...isIn('excluded_devices', [inputInterface, ...servedAt]), giveBack()],
			[...ip, ...translateDestination(NFPROTO_IPV4, 'host_ip_ports4', [ipDestination, ...servedAt])],
			translateDestination(NFPROTO_IPV4, 'host_ports4', servedAt),
			[...ip6, ...translateDestination(NFPROTO_IPV6, 'host_ip_ports6', [ip6Destination, ...servedAt])],
			translateDestination(NFPROTO_IPV6, 'host_ports6', servedAt),
		],
	},
	postrouting: {
		hook: { type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept' },
		rules: [
			[...isDestinationTranslated(), jump('published')],
			[
				...ip,
				...isIn('overlays4', [ipSource]),
				...isIn('overlays4', [ipDestination], { not: true }),
				...to('224.0.0.0', 4, { not: true }),
				masquerade(),
			],
			[
				...ip6,
				...isIn('overlays6', [ip6Source]),
				...isIn('overlays6', [ip6Destination], { not: true }),
				...isInNetwork(ip6Destination, field('ipv6_addr', 'ff00::'), 8, { not: true }),
				masquerade(NF_NAT_RANGE_PROTO_RANDOM_FULLY),
			],
			[...isFromLocal(), ...is(outputInterface, field('ifname', 'lo')), masquerade()],
		],
	},
	published: {
		rules: [
			[...ip, ...isInNetwork(ipSource, field('ipv4_addr', '127.0.0.0'), 8), masquerade()],
			[...ip6, ...is(ip6Source, field('ipv6_addr', '::1')), masquerade()],
			[...ip, ...isIn('same_bridge4', [ipSource, ipDestination]), masquerade()],
			[...ip6, ...isIn('same_bridge6', [ip6Source, ip6Destination]), masquerade()],
		],
	},
	forward: {
		hook: { type: 'filter', hook: 'forward', priority: 0 },
		rules: [
			[...isState(STATE_ESTABLISHED | STATE_RELATED), accept()],
			[...isDestinationTranslated(), accept()],
			[...ip, ...isIn('allowed4', [ipSource, ipDestination, ...servedAt]), accept()],
			[...ip6, ...isIn('allowed6', [ip6Source, ip6Destination, ...servedAt]), accept()],
			[...ip, ...isIn('guarded4', [ipDestination]), drop()],
		],
	},
	others: {
		hook: { type: 'filter', hook: 'input', priority: 7, policy: 'drop' },
		rules: [
			[...isState(STATE_INVALID), counter(), drop()],
			[...is(connectionState, hostNumber(STATE_NEW), { not: true }), giveBack()],
			[...is(connectionMark, hostNumber(7)), accept()],
			[...isBetween(destinationPort, field('inet_service', 1000), field('inet_service', 2000)), accept()],
			[...isBetween(sourcePort, field('inet_service', 1000), field('inet_service', 2000), { not: true }), drop()],
			[...is(transportProtocol, field('inet_proto', 17)), goTo('rest')],
			setMark(0x20),
			[...hasBits(mark, hostNumber(0xf0), hostNumber(0x10)), accept()],
			[
				...is(inputInterface, field('ifname', 'eth0')),
				...is(outputInterface, new TextEncoder().encode('veth')),
				accept(),
			],
			[...isToLocal({ not: true }), accept()],
			[...ip, ...to('10.1.2.0', 23), accept()],
		],
	},
	rest: { rules: [] },
};

const unlike = (set: string, ...selectors: Selector[]): Attribute[] =>
	isIn(set, [inputInterface, ...selectors], { not: true });

const bridgeChains: Record<string, Chain> = {
	prerouting: {
		hook: { type: 'filter', hook: 'prerouting', priority: -300 },
		rules: [[...isIn('checked_ports', [inputInterface]), jump('check')]],
	},
	output: {
		hook: { type: 'filter', hook: 'output', priority: -200, policy: 'drop' },
		rules: [
			[
				...isIn('checked_ports', [outputInterface]),
				...is(etherDestination, field('ether_addr', 'ff:ff:ff:ff:ff:ff')),
				accept(),
			],
		],
	},
	check: {
		rules: [
			[...unlike('own_macs', etherSource), drop()],
			[...carries(ETH_P_ARP), jump('check_arp')],
			[...carries(ETH_P_IP), ...unlike('own_addresses4', ipSource), drop()],
			[...carries(ETH_P_IPV6), jump('check_ip6')],
			[...is(protocol, Uint8Array.of(0x81, 0)), drop()],
		],
	},
	check_arp: {
		rules: [
			[...carries(ETH_P_ARP), ...unlike('own_macs', arpSenderMac), drop()],
			[...carries(ETH_P_ARP), ...unlike('own_addresses4', arpSenderIp), drop()],
			[...carries(ETH_P_ARP), ...is(arpSenderIp, field('ipv4_addr', '0.0.0.0')), accept()],
		],
	},
	check_ip6: {
		rules: [
			[
				...carries(ETH_P_IPV6),
				...is(transportProtocol, Uint8Array.of(58)),
				...is(icmpv6Type, Uint8Array.of(136)),
				drop(),
			],
			[...carries(ETH_P_IPV6), ...is(ip6Source, field('ipv6_addr', '::')), accept()],
			[...carries(ETH_P_IPV6), ...unlike('own_addresses6', ip6Source), drop()],
		],
	},
};

function partsOf(table: Table, layouts: readonly SetLayout[], chains: Readonly<Record<string, Chain>>): Request[] {
	const entries = Object.entries(chains);
	return [
		...entries.map(([name, { hook }]) => createChain(table, name, hook)),
		...layouts.map((layout) => createSet(table, layout)),
		...entries.flatMap(([name, { rules }]) => rules.map((rule) => appendRule(table, name, rule))),
	];
}

/** The same, as one transaction. */
export function requests(): Request[] {
	return [
		createTable(inet, { comment: 'mesos-overlay 1', exclusive: true }),
		...partsOf(inet, sets.inet, inetChains),
		createTable(bridge, { exclusive: true }),
		...partsOf(bridge, sets.bridge, bridgeChains),
	];
}
