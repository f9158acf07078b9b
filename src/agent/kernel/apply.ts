// Does what was planned.

import { ensureForwarding } from '../../bridge/forwarding.ts';
import { prepareIpv6 } from '../../bridge/bridge-device.ts';
import { ensureSysctl } from '../../linux/sysctl.ts';
import { addAddress, removeAddress } from '../../netlink/address.ts';
import { createBridge } from '../../netlink/bridge.ts';
import { setChecksumOffload } from '../../netlink/checksum-offload.ts';
import { removeForwardingEntry, setForwardingEntry } from '../../netlink/forwarding-entry.ts';
import { changeLink, deleteLink, findLink, type Link } from '../../netlink/link.ts';
import type { Request } from '../../netlink/message.ts';
import { removeNeighbour, setNeighbour } from '../../netlink/neighbour.ts';
import { isKernelError } from '../../netlink/netlink-error.ts';
import { removeProtocolRoute, setProtocolRoute } from '../../netlink/protocol-route.ts';
import { createVxlan, vxlanOptions } from '../../netlink/vxlan.ts';
import {
	type Action,
	type Bridge,
	type BridgeChanges,
	type EntryAction,
	isEntryAction,
	ROUTE_PROTOCOL,
	UNREACHABLE,
	type VtepChanges,
} from './host-state.ts';
import type { Kernel } from './kernel.ts';

/** Something that could not be done, and why. */
export interface Failure {
	readonly action: Action;
	readonly error: unknown;
}

/** A part of what was planned, done. */
export interface Slice {
	/** Where the next one begins; as many as there are actions: all is done, or there is no sense in going on. */
	readonly next: number;
	readonly failures: readonly Failure[];
}

/** So many entries are one slice. Thousands of routes take the kernel up to 0.3 ms each. */
const SLICE = 250;

/**
 * Does it all in order; `name` is that of the VTEP. Goes on after a failure, as far as there is any sense in it: without the
 * VTEP, there is nothing to be done behind it. Throws NetlinkError when the kernel does not answer any more.
 */
export function apply(kernel: Kernel, name: string, actions: readonly Action[]): Failure[] {
	const failures: Failure[] = [];
	for (let at = 0; at < actions.length;) {
		const slice = applySlice(kernel, name, actions, at);
		failures.push(...slice.failures);
		at = slice.next;
	}
	return failures;
}

/** Does some of it as {@link apply} does, from a place on: one action, or some hundred entries. */
export function applySlice(kernel: Kernel, name: string, actions: readonly Action[], from: number): Slice {
	const entries = entriesFrom(actions, from);
	if (entries.length > 0) {
		const vtep = findLink(kernel.route, name) ?? { index: 0, name };
		return { next: from + entries.length, failures: applyEntries(kernel, vtep, entries) };
	}
	const action = actions[from];
	if (action === undefined || isEntryAction(action)) return { next: actions.length, failures: [] };
	try {
		applyOne(kernel, action);
		return { next: from + 1, failures: [] };
	} catch (error) {
		return { next: action.do === 'createVtep' ? actions.length : from + 1, failures: [{ action, error }] };
	}
}

/** Those that can be done together, from a place on. */
function entriesFrom(actions: readonly Action[], from: number): EntryAction[] {
	const entries: EntryAction[] = [];
	for (let at = from; entries.length < SLICE; at++) {
		const action = actions[at];
		if (action === undefined || !isEntryAction(action)) break;
		entries.push(action);
	}
	return entries;
}

function applyOne(kernel: Kernel, action: Exclude<Action, EntryAction>): void {
	const { route, generic, ethtool } = kernel;
	switch (action.do) {
		case 'createVtep':
			route.execute(createVxlan(action.vtep.name, action.vtep));
			return;
		case 'changeVtep':
			route.execute(...changeVtep(action.name, action.changes));
			return;
		case 'removeVtep':
		case 'removeBridge': {
			const link = findLink(route, action.name);
			if (link !== undefined) deleteLink(route, link);
			return;
		}
		case 'setChecksumOffload':
			if (ethtool !== undefined) generic.execute(setChecksumOffload(ethtool, action.name, action.wanted));
			return;
		case 'setParameter':
			setParameter(action.name, action.value);
			return;
		case 'createBridge':
			createLastingBridge(kernel, action.name, action.bridge);
			return;
		case 'changeBridge':
			changeBridge(kernel, action.name, action.changes);
			return;
	}
}

/** A message that changes a tunnel must not change the MTU as well. */
function changeVtep(name: string, { tunnel, ...changes }: VtepChanges): Request[] {
	const requests = Object.keys(changes).length === 0 ? [] : [changeLink({ name }, changes)];
	return tunnel === undefined ? requests : [...requests, changeLink({ name }, {}, vxlanOptions(tunnel))];
}

/** A bridge without ports has this MTU, unless somebody has changed it: one that it was born with does not count. */
const USUAL_MTU = 1500;

function createLastingBridge({ route }: Kernel, name: string, { mac, mtu }: Bridge): void {
	route.execute(createBridge(name, { mac, mtu: USUAL_MTU }), changeLink({ name }, { mtu }));
}

function changeBridge({ route }: Kernel, name: string, changes: BridgeChanges): void {
	if (changes.up === true) prepareIpv6(name);
	const link = findLink(route, name);
	// A MAC that the kernel chose moves to that of a port; one that was given stays.
	const mac = changes.up === true && link !== undefined ? { mac: link.mac } : {};
	route.execute(changeLink({ name }, { ...changes, ...mac }));
}

/** Forwarding is turned on as the plugin does it, which takes care of the default route that a router has announced. */
function setParameter(name: string, value: string): void {
	if (name === 'ipv4/ip_forward') ensureForwarding(['0.0.0.0']);
	else if (name === 'ipv6/conf/all/forwarding') ensureForwarding(['::']);
	else ensureSysctl(name, value);
}

function applyEntries(
	{ route }: Kernel,
	vtep: Pick<Link, 'index' | 'name'>,
	actions: readonly EntryAction[],
): Failure[] {
	const errors = route.executeEach(actions.map((action) => requestOf(action, vtep)));
	return Array.from(errors).flatMap(([at, error]) => {
		const action = actions[at];
		return action === undefined || wasSoAlready(action, error) ? [] : [{ action, error }];
	});
}

function wasSoAlready(action: EntryAction, error: unknown): boolean {
	return action.do.startsWith('remove')
		? isKernelError(error, 'ENOENT', 'ESRCH', 'EADDRNOTAVAIL', 'ENODEV')
		: isKernelError(error, 'EEXIST');
}

function requestOf(action: EntryAction, vtep: Pick<Link, 'index' | 'name'>): Request {
	switch (action.do) {
		case 'addAddress':
			return addAddress(vtep, action.cidr);
		case 'removeAddress':
			return removeAddress(vtep, action.cidr);
		case 'setNeighbour':
			return setNeighbour(vtep, action);
		case 'removeNeighbour':
			return removeNeighbour(vtep, action.ip);
		case 'setForwarding':
			return setForwardingEntry(vtep, action);
		case 'removeForwarding':
			return removeForwardingEntry(vtep, action);
		case 'setRoute':
			return setProtocolRoute(ROUTE_PROTOCOL, routeOf(action, vtep.index));
		case 'removeRoute':
			return removeProtocolRoute(ROUTE_PROTOCOL, routeOf(action, vtep.index));
		default:
			return removeProtocolRoute(ROUTE_PROTOCOL, action.route);
	}
}

function routeOf({ dst, gw }: { readonly dst: string; readonly gw: string }, link: number) {
	return gw === UNREACHABLE ? { dst } : { dst, via: { gw, link } };
}
