// Decides what has to be done so that a host has what is wanted of it. Nothing but its arguments counts.
//
// The order keeps traffic flowing: the way to a VTEP is there before a route leads to it, what takes the place of something
// comes before that goes, and what nobody needs any more goes last, routes first.

import {
	type Action,
	bridgeAlias,
	type BridgeChanges,
	type EntryAction,
	type Seen,
	type SeenVtep,
	type Vtep,
	type VtepChanges,
	type Wanted,
} from './host-state.ts';

/** What has to be done, in this order; nothing when all is as it should be. */
export function plan(wanted: Wanted, seen: Seen): Action[] {
	const vtep = planVtep(wanted.vtep, seen);
	const { additions, removals } = planEntries(wanted, vtep.left);
	const bridges = planBridges(wanted, seen);
	return [
		...vtep.actions,
		...bridges.additions,
		...planParameters(wanted, vtep.left),
		...vtep.start,
		...additions,
		...removals,
		...vtep.end,
		...bridges.removals,
	];
}

interface VtepPlan {
	readonly actions: readonly Action[];
	/** Once its parameters are set. */
	readonly start: readonly Action[];
	/** When nothing goes through it any more. */
	readonly end: readonly Action[];
	/** What is still there after the actions. */
	readonly left: Seen;
}

function planVtep(wanted: Vtep | undefined, seen: Seen): VtepPlan {
	const { vtep } = seen;
	if (wanted === undefined) {
		const end = vtep === undefined ? [] : [remove(vtep)];
		return { actions: [], start: [], end, left: withoutVtep(seen) };
	}
	const offload: Action = {
		do: 'setChecksumOffload',
		name: wanted.name,
		wanted: wanted.checksumOffload,
	};
	const up: Action = { do: 'changeVtep', name: wanted.name, changes: { up: true } };
	if (vtep === undefined || !isSameTunnel(wanted, vtep)) {
		const actions: Action[] = [...(vtep === undefined ? [] : [remove(vtep)]), { do: 'createVtep', vtep: wanted }];
		return { actions, start: [offload, up], end: [], left: withoutVtep(seen) };
	}
	const changes = changesOf(wanted, vtep);
	const isOffloadWrong = vtep.checksumOffload !== undefined && vtep.checksumOffload !== wanted.checksumOffload;
	return {
		actions: Object.keys(changes).length === 0 ? [] : [{ do: 'changeVtep', name: wanted.name, changes }],
		start: [...(isOffloadWrong ? [offload] : []), ...(vtep.up ? [] : [up])],
		end: [],
		left: changes.mac === undefined ? seen : { ...seen, neighbours: new Map() },
	};
}

function remove({ name }: SeenVtep): Action {
	return { do: 'removeVtep', name };
}

/** Whether a device can become what is wanted; the kernel does not let these be changed. */
function isSameTunnel(wanted: Vtep, seen: SeenVtep): boolean {
	const isSameFamily = wanted.local.includes(':') === seen.local.includes(':');
	return wanted.vni === seen.vni && wanted.port === seen.port && isSameFamily;
}

/** What goes with a device: everything behind it, but not what is unreachable. */
export function withoutVtep(seen: Seen): Seen {
	return {
		...seen,
		vtep: undefined,
		addresses: new Set(),
		neighbours: new Map(),
		forwarding: new Map(),
		routes: new Map([...seen.routes].filter(([, gw]) => gw === '')),
		parameters: new Map([...seen.parameters].filter(([name]) => !name.includes(`/${seen.vtep?.name}/`))),
	};
}

function changesOf(wanted: Vtep, seen: SeenVtep): VtepChanges {
	const { mac, mtu, local } = wanted;
	return {
		// Not even to what it is: the kernel would forget all neighbours.
		...(mac !== seen.mac && { mac }),
		...(mtu !== seen.mtu && { mtu }),
		...((local !== seen.local || seen.learning) && { tunnel: { local, learning: false } }),
	};
}

function planParameters({ parameters }: Wanted, seen: Seen): Action[] {
	return [...parameters]
		.filter(([name, value]) => seen.parameters.get(name) !== value)
		.map(([name, value]) => ({ do: 'setParameter', name, value }));
}

function planBridges(wanted: Wanted, seen: Seen): { additions: Action[]; removals: Action[] } {
	const additions: Action[] = [];
	for (const [name, bridge] of wanted.bridges) {
		const found = seen.bridges.get(name);
		if (found === undefined) additions.push({ do: 'createBridge', name, bridge });
		const alias = bridgeAlias(bridge.network);
		const changes: BridgeChanges = {
			...(found !== undefined && found.mtu !== bridge.mtu && { mtu: bridge.mtu }),
			...(found?.alias !== alias && { alias }),
			...(found?.up !== true && { up: true }),
		};
		if (Object.keys(changes).length > 0) additions.push({ do: 'changeBridge', name, changes });
	}
	// One with containers stays until they have gone.
	const unwanted = [...seen.bridges].filter(([name, { hasPorts }]) => !wanted.bridges.has(name) && !hasPorts);
	return { additions, removals: unwanted.map(([name]) => ({ do: 'removeBridge', name })) };
}

function planEntries(wanted: Wanted, seen: Seen): { additions: EntryAction[]; removals: EntryAction[] } {
	const addresses = new Set(wanted.vtep?.addresses);
	const additions: EntryAction[] = seen.strayRoutes.map((route) => ({ do: 'removeStrayRoute', route }));
	const removals: EntryAction[] = [];
	for (const cidr of addresses) if (!seen.addresses.has(cidr)) additions.push({ do: 'addAddress', cidr });
	for (const [mac, host] of wanted.forwarding) {
		if (seen.forwarding.get(mac) !== host) additions.push({ do: 'setForwarding', mac, host });
	}
	for (const [ip, mac] of wanted.neighbours) {
		if (seen.neighbours.get(ip) !== mac) additions.push({ do: 'setNeighbour', ip, mac });
	}
	for (const [dst, gw] of wanted.routes) {
		if (seen.routes.get(dst) !== gw) additions.push({ do: 'setRoute', dst, gw });
	}
	for (const [dst, gw] of seen.routes) {
		const isReplaced = wanted.routes.get(dst) === gw || (wanted.routes.has(dst) && dst.includes(':'));
		if (!isReplaced) removals.push({ do: 'removeRoute', dst, gw });
	}
	for (const ip of seen.neighbours.keys()) {
		if (!wanted.neighbours.has(ip)) removals.push({ do: 'removeNeighbour', ip });
	}
	for (const [mac, host] of seen.forwarding) {
		if (!wanted.forwarding.has(mac)) removals.push({ do: 'removeForwarding', mac, host });
	}
	for (const cidr of seen.addresses) if (!addresses.has(cidr)) removals.push({ do: 'removeAddress', cidr });
	return { additions, removals };
}
