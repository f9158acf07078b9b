// What a host has after some actions, when all of them succeed: it need not be looked at again.

import {
	type Action,
	type BridgeChanges,
	type EntryAction,
	isEntryAction,
	type Seen,
	type SeenBridge,
	type SeenVtep,
	type VtepChanges,
} from './host-state.ts';
import { withoutVtep } from './plan.ts';

/** What is seen after the actions. */
export function after(seen: Seen, actions: readonly Action[]): Seen {
	let present = seen;
	let entries: MutableEntries | undefined;
	for (const action of actions) {
		if (isEntryAction(action)) {
			entries ??= copyOf(present);
			changeEntries(entries, action);
			continue;
		}
		present = afterOne({ ...present, ...entries }, action);
		entries = undefined;
	}
	return { ...present, ...entries };
}

type MutableEntries = ReturnType<typeof copyOf>;

function copyOf({ addresses, neighbours, forwarding, routes, strayRoutes }: Seen) {
	return {
		addresses: new Set(addresses),
		neighbours: new Map(neighbours),
		forwarding: new Map(forwarding),
		routes: new Map(routes),
		strayRoutes: [...strayRoutes],
	};
}

function changeEntries(entries: MutableEntries, action: EntryAction): void {
	switch (action.do) {
		case 'addAddress':
			entries.addresses.add(action.cidr);
			return;
		case 'removeAddress':
			entries.addresses.delete(action.cidr);
			return;
		case 'setNeighbour':
			entries.neighbours.set(action.ip, action.mac);
			return;
		case 'removeNeighbour':
			entries.neighbours.delete(action.ip);
			return;
		case 'setForwarding':
			entries.forwarding.set(action.mac, action.host);
			return;
		case 'removeForwarding':
			if (entries.forwarding.get(action.mac) === action.host) entries.forwarding.delete(action.mac);
			return;
		case 'setRoute':
			entries.routes.set(action.dst, action.gw);
			return;
		case 'removeRoute':
			if (entries.routes.get(action.dst) === action.gw) entries.routes.delete(action.dst);
			return;
		case 'removeStrayRoute':
			entries.strayRoutes = entries.strayRoutes.filter((route) => route !== action.route);
	}
}

function afterOne(seen: Seen, action: Exclude<Action, EntryAction>): Seen {
	switch (action.do) {
		case 'createVtep': {
			const { addresses: _, ...vtep } = action.vtep;
			return { ...seen, vtep: { ...vtep, up: false, learning: false } };
		}
		case 'changeVtep':
			return seen.vtep === undefined ? seen : changeVtep(seen, seen.vtep, action.changes);
		case 'removeVtep':
			return withoutVtep(seen);
		case 'setChecksumOffload':
			return seen.vtep === undefined ? seen : { ...seen, vtep: { ...seen.vtep, checksumOffload: action.wanted } };
		case 'setParameter':
			return { ...seen, parameters: new Map([...seen.parameters, [action.name, action.value]]) };
		case 'createBridge': {
			const { mtu } = action.bridge;
			return withBridge(seen, action.name, { mtu, up: false, alias: '', hasPorts: false });
		}
		case 'changeBridge':
			return changeBridge(seen, action.name, action.changes);
		default:
			return { ...seen, bridges: new Map([...seen.bridges].filter(([name]) => name !== action.name)) };
	}
}

function changeVtep(seen: Seen, vtep: SeenVtep, { tunnel, ...changes }: VtepChanges): Seen {
	const neighbours = changes.mac === undefined ? seen.neighbours : new Map<string, string>();
	return { ...seen, neighbours, vtep: { ...vtep, ...changes, ...tunnel } };
}

function changeBridge(seen: Seen, name: string, changes: BridgeChanges): Seen {
	const bridge = seen.bridges.get(name);
	return bridge === undefined ? seen : withBridge(seen, name, { ...bridge, ...changes });
}

function withBridge(seen: Seen, name: string, bridge: SeenBridge): Seen {
	return { ...seen, bridges: new Map([...seen.bridges, [name, bridge]]) };
}
