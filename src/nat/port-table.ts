// The layout of the table `bridge mesos_overlay`: what a container's port may send. test/nat/port-skeleton.nft is the same as
// text.

import type { Request } from '../netlink/message.ts';
import { accept, drop, goTo } from '../netlink/nf-action.ts';
import { createChain } from '../netlink/nf-chain.ts';
import {
	arpSenderIp,
	arpSenderMac,
	etherSource,
	icmpv6Type,
	inputInterface,
	ip6Source,
	ipSource,
	neighbourTarget,
	transportProtocol,
} from '../netlink/nf-load.ts';
import { carries, ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, is, isIn } from '../netlink/nf-match.ts';
import { NFPROTO_BRIDGE, type Table } from '../netlink/nf-message.ts';
import { appendRule } from '../netlink/nf-rule.ts';
import { createSet } from '../netlink/nf-set.ts';
import { createTable, removeTable } from '../netlink/nf-table.ts';
import { LAYOUT } from './records.ts';
import { portSets } from './sets.ts';

export const PORT_TABLE: Table = { family: NFPROTO_BRIDGE, name: 'mesos_overlay' };

/** NF_BR_PRI_NAT_DST_BRIDGED, include/uapi/linux/netfilter_bridge.h */
const PRIORITY = -300;

const IPPROTO_ICMPV6 = 58;
// RFC 4861 §4.3 and §4.4, RFC 3810 §5.2
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const LISTENER_REPORT = 143;

const NOT = { not: true };
const ANY_IPV4 = new Uint8Array(4);
const UNSPECIFIED = new Uint8Array(16);

/** The requests that put an empty table in the place of the one that is there, if any is. */
export function layPortTable(): Request[] {
	const isIcmpv6 = (type: number) => [
		...is(transportProtocol, Uint8Array.of(IPPROTO_ICMPV6)),
		...is(icmpv6Type, Uint8Array.of(type)),
	];
	const rules = {
		check_arp: [
			[...isIn('own_macs', [inputInterface, arpSenderMac], NOT), drop()],
			// Who asks whether an address is free has none yet, RFC 5227 §2.1.1.
			[...is(arpSenderIp, ANY_IPV4), accept()],
			[...isIn('own_addresses4', [inputInterface, arpSenderIp], NOT), drop()],
		].map((rule) => [...carries(ETH_P_ARP), ...rule]),
		check_ip: [[...carries(ETH_P_IP), ...isIn('own_addresses4', [inputInterface, ipSource], NOT), drop()]],
		check_ip6: [
			// The same for IPv6, RFC 4862 §5.4.2: for an own address only. And who listens says so before it has one.
			[
				...is(ip6Source, UNSPECIFIED),
				...isIcmpv6(NEIGHBOUR_SOLICITATION),
				...isIn('own_addresses6', [inputInterface, neighbourTarget]),
				accept(),
			],
			[...is(ip6Source, UNSPECIFIED), ...isIcmpv6(LISTENER_REPORT), accept()],
			[...isIn('own_addresses6', [inputInterface, ip6Source], NOT), drop()],
			[
				...isIcmpv6(NEIGHBOUR_ADVERTISEMENT),
				...isIn('own_addresses6', [inputInterface, neighbourTarget], NOT),
				drop(),
			],
		].map((rule) => [...carries(ETH_P_IPV6), ...rule]),
		prerouting: [
			[
				...isIn('checked_ports', [inputInterface]),
				...isIn('own_macs', [inputInterface, etherSource], NOT),
				drop(),
			],
			[...isIn('strict_ports', [inputInterface], NOT), accept()],
			[...carries(ETH_P_ARP), goTo('check_arp')],
			[...carries(ETH_P_IP), goTo('check_ip')],
			[...carries(ETH_P_IPV6), goTo('check_ip6')],
			[drop()],
		],
	};
	return [
		createTable(PORT_TABLE),
		removeTable(PORT_TABLE),
		createTable(PORT_TABLE, { comment: `mesos-overlay ${LAYOUT}` }),
		...portSets().map((set) => createSet(PORT_TABLE, set)),
		...Object.entries(rules).flatMap(([name, chain]) => [
			name === 'prerouting'
				? createChain(PORT_TABLE, name, { type: 'filter', hook: 'prerouting', priority: PRIORITY })
				: createChain(PORT_TABLE, name),
			...chain.map((rule) => appendRule(PORT_TABLE, name, rule)),
		]),
	];
}
