// Routes. include/uapi/linux/rtnetlink.h

import { bytes, decodeAttributes, decodeBytes, decodeNested, decodeNumber, nested, u32 } from './attribute.ts';
import type { Connection } from './connection.ts';
import { formatIp } from '../ip/address.ts';
import { AF_INET6, addressFamily, requireCidr, requireIp } from './address-family.ts';
import type { Link } from './link.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import { isKernelError, NetlinkError } from './netlink-error.ts';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;

export const RTA_DST = 1;
export const RTA_OIF = 4;
export const RTA_GATEWAY = 5;
export const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
export const RTA_TABLE = 15;
const RTAX_MTU = 2;
const RTAX_ADVMSS = 8;

export const RT_TABLE_MAIN = 254;
const RT_TABLE_COMPAT = 252;
const RTPROT_UNSPEC = 0;
const RTPROT_KERNEL = 2;
export const RTPROT_STATIC = 4;
const RTN_UNICAST = 1;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;

/** The length of {@link rtmsg}. */
export const RTMSG = 12;

/** The metric that the kernel gives an IPv6 route without one, `include/net/ip6_route.h`. */
const IP6_RT_PRIO_USER = 1024;

/** A route of a link. */
export interface Route {
	/** The destination in CIDR form; `0.0.0.0/0` and `::/0` are the default routes. */
	readonly dst: string;
	readonly gw?: string;
	readonly mtu?: number;
	readonly advmss?: number;
	readonly priority?: number;
	/** The routing table; main (254) when absent. */
	readonly table?: number;
	/** The scope by number; universe with a gateway, link without one, when absent. */
	readonly scope?: number;
}

/** The fixed part of messages about routes, struct rtmsg. */
export function rtmsg(family: number, prefix: number, table: number, scope: number, protocol: number): Buffer {
	const fixed = Buffer.alloc(RTMSG);
	fixed.set([family, prefix, 0, 0, table > 255 ? RT_TABLE_COMPAT : table, protocol, scope, RTN_UNICAST]);
	return fixed;
}

/** Adds a route through a link, beside others to the same destination. `EEXIST` when there is the very same. */
export function addRoute(link: Pick<Link, 'index' | 'name'>, route: Route): Request {
	const { ip, prefix } = requireCidr(route.dst);
	const table = route.table ?? RT_TABLE_MAIN;
	const attributes = [u32(RTA_OIF, link.index), u32(RTA_TABLE, table)];
	if (prefix > 0) attributes.push(bytes(RTA_DST, ip));
	if (route.gw !== undefined) attributes.push(bytes(RTA_GATEWAY, requireIp(route.gw)));
	if (route.priority !== undefined) attributes.push(u32(RTA_PRIORITY, route.priority));
	const metrics = [];
	if (route.mtu !== undefined) metrics.push(u32(RTAX_MTU, route.mtu));
	if (route.advmss !== undefined) metrics.push(u32(RTAX_ADVMSS, route.advmss));
	if (metrics.length > 0) attributes.push(nested(RTA_METRICS, ...metrics));
	const scope = route.scope ?? (route.gw === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
	return {
		operation: `adding route ${route.dst}${route.gw === undefined ? '' : ` via ${route.gw}`} through "${link.name}"`,
		type: RTM_NEWROUTE,
		flags: NLM_F_CREATE,
		fixed: rtmsg(addressFamily(ip), prefix, table, scope, RTPROT_STATIC),
		attributes,
	};
}

/**
 * Adds a route to the neighbours of a link, to whom this machine shows itself by the address `source` of that link. `EEXIST`
 * when there is any route to the same destination.
 */
export function addSubnetRoute(link: Pick<Link, 'index' | 'name'>, dst: string, source: string): Request {
	const request = addRoute(link, { dst });
	return {
		...request,
		flags: NLM_F_CREATE | NLM_F_EXCL,
		attributes: [...request.attributes, bytes(RTA_PREFSRC, requireIp(source))],
	};
}

/** Removes a route that {@link addSubnetRoute} has added. `ESRCH` when there is none. */
export function removeSubnetRoute(link: Pick<Link, 'index' | 'name'>, dst: string): Request {
	const operation = `removing route ${dst} through "${link.name}"`;
	return { ...addRoute(link, { dst }), operation, type: RTM_DELROUTE, flags: 0 };
}

/** The index of the link through which this machine would send to an address; undefined when it would not. */
export function findWay(connection: Connection, ip: string): number | undefined {
	const address = requireIp(ip);
	const fixed = Buffer.alloc(RTMSG);
	fixed.set([addressFamily(address), address.length * 8]);
	const operation = `looking up the way to ${ip}`;
	try {
		const found = connection.get({
			operation,
			type: RTM_GETROUTE,
			flags: 0,
			fixed,
			attributes: [bytes(RTA_DST, address)],
		});
		return decodeNumber(decodeAttributes(found, RTMSG), RTA_OIF);
	} catch (error) {
		// EACCES and EINVAL are what routes of the types "prohibit" and "blackhole" say.
		if (isKernelError(error, 'ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL')) return undefined;
		throw error;
	}
}

/**
 * The routes through a link, of both families and all tables, that somebody set: not those that follow from its
 * addresses. With a `protocol`, only those that it set; RTPROT_STATIC is ours.
 */
export function listRoutes(
	connection: Connection,
	link: Pick<Link, 'index' | 'name'>,
	protocol = RTPROT_UNSPEC,
): Route[] {
	const payloads = connection.dump({
		operation: `listing the routes through "${link.name}"`,
		type: RTM_GETROUTE,
		flags: 0,
		fixed: rtmsg(0, 0, 0, 0, protocol),
		attributes: [u32(RTA_OIF, link.index)],
	});
	const routes: Route[] = [];
	for (const payload of payloads) {
		const found = decodeRoute(payload);
		const isBySome = protocol === RTPROT_UNSPEC || found.protocol === protocol;
		if (found.link === link.index && found.set && isBySome) routes.push(found.route);
	}
	return routes;
}

/** A route with what is only of interest to find it. */
interface FoundRoute {
	readonly route: Route;
	/** The index of the link, or 0. */
	readonly link: number;
	/** Who set it, RTPROT_*. */
	readonly protocol: number | undefined;
	/** Whether it leads somewhere, and does not follow from an address. */
	readonly set: boolean;
}

/** Decodes what RTM_NEWROUTE carries. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeRoute(payload: Buffer): FoundRoute {
	if (payload.length < RTMSG) throw new NetlinkError('decoding a route', 'EBADMSG', 'truncated');
	const { 0: family, 1: prefix, 4: table, 5: protocol, 6: scope, 7: type } = payload;
	const attributes = decodeAttributes(payload, RTMSG);
	const dst = decodeBytes(attributes, RTA_DST);
	const gw = decodeBytes(attributes, RTA_GATEWAY);
	const priority = decodeNumber(attributes, RTA_PRIORITY);
	const metrics = decodeNested(attributes, RTA_METRICS);
	const mtu = decodeNumber(metrics, RTAX_MTU);
	const advmss = decodeNumber(metrics, RTAX_ADVMSS);
	const wholeTable = decodeNumber(attributes, RTA_TABLE) ?? table;
	const usualScope = gw === undefined && family !== AF_INET6 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	const usualPriority = family === AF_INET6 ? IP6_RT_PRIO_USER : undefined;
	const everything = family === AF_INET6 ? '::' : '0.0.0.0';
	return {
		route: {
			dst: `${dst === undefined ? everything : formatIp(dst)}/${prefix}`,
			...(gw !== undefined && { gw: formatIp(gw) }),
			...(mtu !== undefined && { mtu }),
			...(advmss !== undefined && { advmss }),
			...(priority !== undefined && priority !== usualPriority && { priority }),
			...(wholeTable !== undefined && wholeTable !== RT_TABLE_MAIN && { table: wholeTable }),
			...(scope !== undefined && scope !== usualScope && { scope }),
		},
		link: decodeNumber(attributes, RTA_OIF) ?? 0,
		protocol,
		set: type === RTN_UNICAST && protocol !== RTPROT_KERNEL,
	};
}
