// The layout of the table `inet mesos_overlay`: sets, and rules that only look into them. A packet costs the same however
// many containers there are, and most packets cost one look at their connection. test/nat/skeleton.nft is the same as text.

import type { Attribute } from '../netlink/attribute.ts';
import type { Request } from '../netlink/message.ts';
import {
	accept,
	drop,
	giveBack,
	jump,
	masquerade,
	rewriteAddress,
	rewriteAddressFrom,
	translateDestination,
} from '../netlink/nf-action.ts';
import { createChain, type Hook } from '../netlink/nf-chain.ts';
import {
	destinationPort,
	icmpv6Type,
	inputInterface,
	ip6Destination,
	ip6Source,
	ipDestination,
	ipSource,
	type Selector,
	transportProtocol,
} from '../netlink/nf-load.ts';
import {
	is,
	isDestinationTranslated,
	isFamily,
	isIn,
	isInNetwork,
	isState,
	isToLocal,
	STATE_ESTABLISHED,
	STATE_RELATED,
} from '../netlink/nf-match.ts';
import { NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6, type Table } from '../netlink/nf-message.ts';
import { appendRule } from '../netlink/nf-rule.ts';
import { createSet } from '../netlink/nf-set.ts';
import { createTable, removeTable } from '../netlink/nf-table.ts';
import { LAYOUT } from './records.ts';
import { hostSets } from './sets.ts';

export const TABLE: Table = { family: NFPROTO_INET, name: 'mesos_overlay' };

/** What the nft tool shows of the table. */
const COMMENT = `mesos-overlay ${LAYOUT}`;

// enum nf_ip_hook_priorities, include/uapi/linux/netfilter_ipv4.h
const RAW = -300;
const DSTNAT = -100;
const FILTER = 0;
const SRCNAT = 100;
/** Where the kernel has translated sources, too: at the hook `input`, it does so at SRCNAT. */
const BEHIND_NAT = SRCNAT + 10;

// enum ndisc types, RFC 4861 §4.3 and §4.4
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const IPPROTO_ICMPV6 = 58;

const LOOPBACK6 = new Uint8Array(16);
LOOPBACK6[15] = 1;

const MULTICAST6 = new Uint8Array(16);
MULTICAST6[0] = 0xff;

/** What rules need to know of a family. */
const FAMILIES = {
	4: {
		number: NFPROTO_IPV4,
		source: ipSource,
		destination: ipDestination,
		multicast: { ip: Uint8Array.of(224, 0, 0, 0), prefix: 4 },
		loopback: { ip: Uint8Array.of(127, 0, 0, 0), prefix: 8, own: Uint8Array.of(127, 0, 0, 1) },
	},
	6: {
		number: NFPROTO_IPV6,
		source: ip6Source,
		destination: ip6Destination,
		multicast: { ip: MULTICAST6, prefix: 8 },
		loopback: { ip: LOOPBACK6, prefix: 128, own: LOOPBACK6 },
	},
} as const;

type Family = keyof typeof FAMILIES;
type Rule = readonly Attribute[];

const NOT = { not: true };
const PORT = [transportProtocol, destinationPort] as const;

/** The requests that put an empty table in the place of the one that is there, if any is. */
export function layTable(table = TABLE): Request[] {
	const chain = (name: string, hook: Hook | undefined, rules: readonly Rule[]): Request[] => [
		createChain(table, name, hook),
		...rules.map((rule) => appendRule(table, name, rule)),
	];
	return [
		createTable(table),
		removeTable(table),
		createTable(table, { comment: COMMENT }),
		...hostSets().map((set) => createSet(table, set)),
		// Others jump to these two, which are therefore made first.
		...chain('host_ports', undefined, [
			[...isIn('excluded_devices', [inputInterface, ...PORT]), giveBack()],
			...bothFamilies(hostPortRules),
		]),
		...chain('published', undefined, [
			...bothFamilies(({ match, source, destination, set }) => [
				[...match, ...isIn(set('same_bridge'), [source, destination]), masquerade()],
			]),
		]),
		// The host reaches its own ports by ::1 and 127.0.0.1, too: such addresses may not leave it, so they are replaced where
		// nothing has looked at the packet yet, and put back into the answers behind everything.
		...chain('loopback_out', { type: 'filter', hook: 'output', priority: RAW }, bothFamilies(loopbackOutRules)),
		...chain('loopback_in', { type: 'filter', hook: 'input', priority: BEHIND_NAT }, bothFamilies(loopbackInRules)),
		...chain('prerouting', { type: 'nat', hook: 'prerouting', priority: DSTNAT }, [
			[...isToLocal(), jump('host_ports')],
		]),
		...chain('output', { type: 'nat', hook: 'output', priority: DSTNAT }, [[...isToLocal(), jump('host_ports')]]),
		...chain('postrouting', { type: 'nat', hook: 'postrouting', priority: SRCNAT }, [
			[...isDestinationTranslated(), jump('published')],
			...bothFamilies(masqueradeRules),
		]),
		...chain('forward', { type: 'filter', hook: 'forward', priority: FILTER }, [
			[...isState(STATE_ESTABLISHED | STATE_RELATED), accept()],
			[...isDestinationTranslated(), accept()],
			// Where bridged packets come this way, too, neighbours must find each other before anything can be decided.
			passNeighbours(NEIGHBOUR_SOLICITATION),
			passNeighbours(NEIGHBOUR_ADVERTISEMENT),
			...bothFamilies(isolationRules),
		]),
	];
}

interface FamilyTerms {
	/** The condition that a packet is of the family. */
	readonly match: Rule;
	readonly number: number;
	readonly source: Selector;
	readonly destination: Selector;
	/** The addresses by which a host reaches itself, and the one that it sends from. */
	readonly loopback: { readonly ip: Uint8Array; readonly prefix: number; readonly own: Uint8Array };
	/** The packet goes to one, and not to many. */
	readonly isUnicast: Rule;
	readonly set: (name: string) => string;
}

function bothFamilies(rulesOf: (terms: FamilyTerms) => readonly Rule[]): Rule[] {
	return ([4, 6] as const).flatMap((family: Family) => {
		const { number, source, destination, multicast, loopback } = FAMILIES[family];
		return rulesOf({
			match: isFamily(number),
			number,
			source,
			destination,
			loopback,
			isUnicast: isInNetwork(destination, multicast.ip, multicast.prefix, NOT),
			set: (name) => `${name}${family}`,
		});
	});
}

function hostPortRules({ match, number, destination, set }: FamilyTerms): Rule[] {
	return [
		[...match, ...translateDestination(number, set('host_ip_ports'), [destination, ...PORT])],
		[...match, ...translateDestination(number, set('host_ports'), PORT)],
	];
}

function loopbackOutRules({ match, source, destination, loopback, set }: FamilyTerms): Rule[] {
	const isLoopback = [
		...match,
		...is(source, loopback.own),
		...isInNetwork(destination, loopback.ip, loopback.prefix),
	];
	return [
		[...isLoopback, ...rewriteAddressFrom(set('loopback_ip_sources'), source, [destination, ...PORT])],
		[...isLoopback, ...rewriteAddressFrom(set('loopback_sources'), source, PORT)],
	];
}

/** The kernel lets no such source in from outside: these are answers, of which the source was translated back. */
function loopbackInRules({ match, source, destination, loopback }: FamilyTerms): Rule[] {
	return [
		[
			...isIn('bridges', [inputInterface]),
			...match,
			...isInNetwork(source, loopback.ip, loopback.prefix),
			...rewriteAddress(destination, loopback.own),
		],
	];
}

function masqueradeRules({ match, source, destination, isUnicast, set }: FamilyTerms): Rule[] {
	const outwards = (from: string, inside: string): Rule => [
		...match,
		...isIn(set(from), [source]),
		...isIn(set(inside), [destination], NOT),
		...isUnicast,
		masquerade(),
	];
	// Of a network that is no overlay, other hosts know nothing: their containers could not answer.
	return [outwards('masqueraded_overlays', 'overlays'), outwards('masqueraded', 'subnets')];
}

function isolationRules({ match, source, destination, set }: FamilyTerms): Rule[] {
	const to = (name: string): Attribute[] => isIn(set(name), [destination]);
	const from = (name: string): Attribute[] => isIn(set(name), [source]);
	const acrossNetworks = isIn(set('same_network'), [source, destination], NOT);
	return [
		[...isIn(set('allowed_pairs'), [source, destination]), accept()],
		[...isIn(set('allowed_ports'), [source, destination, ...PORT]), accept()],
		[...to('guarded'), drop()],
		[...to('isolated'), drop()],
		[...from('isolated'), ...to('containers'), drop()],
		[...to('closed'), ...acrossNetworks, drop()],
		[...from('closed'), ...to('containers'), ...acrossNetworks, drop()],
	].map((rule) => [...match, ...rule]);
}

function passNeighbours(type: number): Rule {
	return [
		...isFamily(NFPROTO_IPV6),
		...is(transportProtocol, Uint8Array.of(IPPROTO_ICMPV6)),
		...is(icmpv6Type, Uint8Array.of(type)),
		accept(),
	];
}
