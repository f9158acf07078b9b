// A host's links, their addresses, VLANs and routes, as a fake kernel keeps them.
import {
	bytes,
	decodeAttributes,
	decodeBytes,
	decodeList,
	decodeNested,
	decodeNumber,
	decodeText,
	nested,
	text,
	u32,
	u8,
} from '../../src/netlink/attribute.ts';
import type { Connection } from '../../src/netlink/connection.ts';
import { encodeMac, ifinfomsg } from '../../src/netlink/link-message.ts';
import { type Message, NLM_F_ACK, NLM_F_DUMP } from '../../src/netlink/message.ts';
import { decodeLink } from '../../src/netlink/link.ts';
import { formatIp, isLinkLocal, parseIp } from '../../src/ip/address.ts';
import { contains, parseCidr } from '../../src/ip/cidr.ts';
import {
	acknowledgement,
	dump,
	type Errno,
	type FakeKernel,
	fakeKernel,
	message,
	narrated,
	refusal,
} from '../helpers/fake-kernel.ts';

export interface FakeLink {
	readonly index: number;
	name: string;
	kind: string;
	up: boolean;
	promiscuous: boolean;
	mtu: number;
	mac: string;
	alias: string;
	master: number;
	peer: number;
	forwarding: boolean;
	vlanFiltering: boolean;
	/** By id: whether it is the native one. */
	vlans: Map<number, boolean>;
	addresses: string[];
	/** Destinations, with the source address behind them: `9.0.1.0/27 169.254.40.7`. */
	routes: string[];
}

export interface FakeHost {
	readonly connection: Connection;
	/** What was asked, in the words of the requests. */
	readonly story: string[];
	readonly kernel: FakeKernel;
	readonly links: readonly FakeLink[];
	link(name: string): FakeLink | undefined;
	add(link: Partial<FakeLink> & { readonly name: string }): FakeLink;
	remove(name: string): void;
	/** Refuses the next request of a type (or all, with `always`); `meanwhile` happens just before. */
	refuseNext(type: number, errno: Errno, meanwhile?: () => void): void;
	/** Something that happens just before the next request of a type is answered. */
	before(type: number, happening: () => void): void;
}

export const RTM = {
	newLink: 16,
	delLink: 17,
	getLink: 18,
	setLink: 19,
	newAddress: 20,
	delAddress: 21,
	getAddress: 22,
	newRoute: 24,
	delRoute: 25,
	getRoute: 26,
} as const;

const AF_BRIDGE = 7;

/** A host with these links; the first has index 2, behind the loopback. */
export function fakeHost(...initial: readonly (Partial<FakeLink> & { readonly name: string })[]): FakeHost {
	const links: FakeLink[] = [];
	let lastIndex = 1;
	const happenings: { readonly type: number; readonly errno: Errno | undefined; readonly happening: () => void }[] =
		[];

	function add(link: Partial<FakeLink> & { readonly name: string }): FakeLink {
		const added: FakeLink = {
			index: ++lastIndex,
			kind: 'bridge',
			up: false,
			promiscuous: false,
			mtu: 1420,
			mac: '02:64:09:00:01:01',
			alias: '',
			master: 0,
			peer: 0,
			forwarding: true,
			vlanFiltering: false,
			vlans: new Map(),
			addresses: [],
			routes: [],
			...link,
		};
		links.push(added);
		return added;
	}

	function remove(name: string): void {
		const gone = links.find((link) => link.name === name);
		for (const link of [gone, links.find(({ index }) => index === gone?.peer)]) {
			if (link !== undefined) links.splice(links.indexOf(link), 1);
		}
	}

	function find({ payload }: Message): FakeLink | undefined {
		const index = payload.readInt32LE(4);
		const name = decodeText(decodeAttributes(payload, 16), 3);
		return links.find((link) => (index === 0 ? link.name === name : link.index === index));
	}

	function changed(request: Message): Errno | undefined {
		const { payload, flags } = request;
		const attributes = decodeAttributes(payload, 16);
		const info = decodeNested(attributes, 18);
		// NLM_F_CREATE | NLM_F_EXCL
		if ((flags & 0x600) === 0x600) return created(payload);
		const link = find(request);
		if (link === undefined) return 'ENODEV';
		const change = payload.readUInt32LE(12);
		const wanted = payload.readUInt32LE(8);
		if ((change & 1) !== 0) link.up = (wanted & 1) !== 0;
		if ((change & 0x100) !== 0) link.promiscuous = (wanted & 0x100) !== 0;
		const said = decodeLink(payload);
		link.mac = said.mac === '' ? link.mac : said.mac;
		link.alias = decodeBytes(attributes, 20)?.toString() ?? link.alias;
		link.vlanFiltering ||= decodeNumber(decodeNested(info, 2), 7) === 1;
		return undefined;
	}

	function created(payload: Buffer): Errno | undefined {
		const said = decodeLink(payload);
		const info = decodeNested(decodeAttributes(payload, 16), 18);
		const peer = decodeBytes(decodeNested(info, 2), 1);
		const [name, peerName] = [said.name, peer && decodeLink(peer).name];
		const isHere = peer !== undefined && decodeNumber(decodeAttributes(peer, 16), 28) === undefined;
		if (links.some((link) => link.name === name || (isHere && link.name === peerName))) return 'EEXIST';
		const master = links.find(({ index }) => index === said.master);
		if (said.master !== 0 && master === undefined) return 'ENODEV';
		const vlans = new Map(master?.vlanFiltering ? [[1, true]] : []);
		const { kind, up, mtu, mac } = said;
		const link = add({ name, kind, up, mtu, mac, master: said.master, vlans });
		if (isHere) {
			const other = decodeLink(peer);
			link.peer = add({ name: other.name, kind, mtu: other.mtu, mac: other.mac, peer: link.index }).index;
		}
		return undefined;
	}

	function changedVlans(request: Message): Errno | undefined {
		const link = find(request);
		if (link === undefined) return 'ENODEV';
		let first: number | undefined;
		for (const info of decodeList(decodeAttributes(request.payload, 16), 26, 2)) {
			const [flags, id] = [info.readUInt16LE(0), info.readUInt16LE(2)];
			if ((flags & 8) !== 0) first = id;
			for (let each = (flags & 16) === 0 ? id : (first ?? id); each <= id; each++) {
				if (request.type === RTM.setLink) link.vlans.set(each, (flags & 2) !== 0);
				else link.vlans.delete(each);
			}
		}
		return undefined;
	}

	function changedAddresses({ type, payload }: Message): Errno | undefined {
		const link = links.find(({ index }) => index === payload.readUInt32LE(4));
		const ip = decodeBytes(decodeAttributes(payload, 8), 2);
		if (link === undefined || ip === undefined) return 'ENODEV';
		const cidr = `${formatIp(ip)}/${payload[1]}`;
		const at = link.addresses.indexOf(cidr);
		if (type === RTM.newAddress) {
			if (at !== -1) return 'EEXIST';
			link.addresses.push(cidr);
		} else {
			if (at === -1) return 'EADDRNOTAVAIL';
			link.addresses.splice(at, 1);
		}
		return undefined;
	}

	function changedRoutes({ type, flags, payload }: Message): Errno | undefined {
		const { dst, link, source } = saidOfRoute(payload);
		const on = links.find(({ index }) => index === link);
		if (on === undefined) return 'ENODEV';
		const at = on.routes.findIndex((route) => route.startsWith(`${dst} `));
		if (type === RTM.delRoute) {
			if (at === -1) return 'ESRCH';
			on.routes.splice(at, 1);
		} else {
			// NLM_F_EXCL
			if (
				(flags & 0x200) !== 0 &&
				links.some(({ routes }) => routes.some((each) => each.startsWith(`${dst} `)))
			) {
				return 'EEXIST';
			}
			on.routes.push(`${dst} ${source}`);
		}
		return undefined;
	}

	/** The link of the first route that holds an address. */
	function wayTo(payload: Buffer): FakeLink | undefined {
		const ip = parseIp(saidOfRoute(payload).dst.replace(/\/.*/, '')) ?? new Uint8Array(0);
		return links.find(({ routes }) =>
			routes.some((route) => {
				const cidr = parseCidr(route.split(' ')[0] ?? '');
				return cidr !== undefined && contains(cidr, ip);
			}),
		);
	}

	function carryOut(request: Message): Errno | undefined {
		if (request.type === RTM.newRoute || request.type === RTM.delRoute) return changedRoutes(request);
		if (request.type === RTM.newAddress || request.type === RTM.delAddress) return changedAddresses(request);
		if (request.payload[0] === AF_BRIDGE) return changedVlans(request);
		if (request.type === RTM.newLink) return changed(request);
		const link = find(request);
		if (link === undefined) return 'ENODEV';
		remove(link.name);
		return undefined;
	}

	function listed({ type, payload }: Message): Buffer[] {
		if (type === RTM.getAddress)
			return links.flatMap((link) => link.addresses.map((cidr) => describeAddress(link, cidr)));
		if (type === RTM.getRoute)
			return links.flatMap((link) => link.routes.map((route) => describeRoute(link, route.split(' ')[0] ?? '')));
		return links.map((link) => (payload[0] === AF_BRIDGE ? describeVlans(link) : describe(link)));
	}

	const kernel = fakeKernel((request) => {
		const at = happenings.findIndex(({ type }) => type === request.type);
		const [next] = at === -1 ? [] : happenings.splice(at, 1);
		next?.happening();
		if (next?.errno !== undefined) return [refusal(request, next.errno)];
		if ((request.flags & NLM_F_ACK) !== 0) {
			const errno = carryOut(request);
			return [errno === undefined ? acknowledgement(request) : refusal(request, errno)];
		}
		if ((request.flags & NLM_F_DUMP) === NLM_F_DUMP) return dump(request, listed(request));
		if (request.type === RTM.getRoute) {
			const way = wayTo(request.payload);
			if (way === undefined) return [refusal(request, 'ENETUNREACH')];
			return [message(request, RTM.newRoute, describeRoute(way, saidOfRoute(request.payload).dst))];
		}
		const link = find(request);
		return [link === undefined ? refusal(request, 'ENODEV') : message(request, RTM.newLink, describe(link))];
	});

	for (const link of initial) add(link);
	return {
		...narrated(kernel),
		kernel,
		links,
		add,
		remove,
		link: (name) => links.find((link) => link.name === name),
		refuseNext: (type, errno, happening = () => {}) => void happenings.push({ type, errno, happening }),
		before: (type, happening) => void happenings.push({ type, errno: undefined, happening }),
	};
}

function describe(link: FakeLink): Buffer {
	const flags = (link.up ? 1 : 0) | (link.promiscuous ? 0x100 : 0);
	const info = [text(1, link.kind)];
	if (link.kind === 'bridge') info.push(nested(2, u8(7, Number(link.vlanFiltering))));
	if (link.master !== 0) info.push(text(4, 'bridge'), nested(5, u8(1, link.forwarding ? 3 : 1)));
	return Buffer.concat([
		ifinfomsg({ index: link.index, flags }),
		text(3, link.name),
		u32(4, link.mtu),
		bytes(1, encodeMac(link.mac)),
		...(link.alias === '' ? [] : [text(20, link.alias)]),
		...(link.master === 0 ? [] : [u32(10, link.master)]),
		...(link.peer === 0 ? [] : [u32(5, link.peer)]),
		...(link.kind === '' ? [] : [nested(18, ...info)]),
	]);
}

function describeVlans({ index, vlans }: FakeLink): Buffer {
	const list = [...vlans].map(([id, native]) => bytes(2, Uint8Array.of(native ? 6 : 0, 0, id & 255, id >> 8)));
	return Buffer.concat([ifinfomsg({ family: AF_BRIDGE, index }), nested(26, ...list)]);
}

function describeAddress({ index }: FakeLink, cidr: string): Buffer {
	const [address = '', prefix] = cidr.split('/');
	const ip = parseIp(address) ?? new Uint8Array(4);
	const fixed = Buffer.from([ip.length === 4 ? 2 : 10, Number(prefix), 0, isLinkLocal(ip) ? 253 : 0, index, 0, 0, 0]);
	return Buffer.concat([fixed, bytes(1, ip)]);
}

function describeRoute({ index }: FakeLink, cidr: string): Buffer {
	const { ip, prefix } = parseCidr(cidr) ?? { ip: new Uint8Array(4), prefix: 0 };
	// Of the main table, static, of universal scope, unicast.
	const fixed = Buffer.from([ip.length === 4 ? 2 : 10, prefix, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0]);
	return Buffer.concat([fixed, bytes(1, ip), u32(4, index)]);
}

function saidOfRoute(payload: Buffer): { dst: string; link: number | undefined; source: string } {
	const attributes = decodeAttributes(payload, 12);
	const [dst, source] = [1, 7].map((type) => decodeBytes(attributes, type)).map((ip) => (ip ? formatIp(ip) : ''));
	return { dst: `${dst}/${payload[1]}`, link: decodeNumber(attributes, 4), source: source ?? '' };
}
