// VLANs of ports, and the gateway of a VLAN.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { addNativeVlan, addTaggedVlans, listVlans, removeVlans } from '../netlink/bridge-vlan.ts';
import type { Connection } from '../netlink/connection.ts';
import { changeLink, deleteLink, findLink, type Link } from '../netlink/link.ts';
import { tolerating } from '../netlink/netlink-error.ts';
import { createVeth } from '../netlink/veth.ts';
import { prepareIpv6 } from './bridge-device.ts';
import type { BridgeConfiguration } from './configuration.ts';
import { gatewayInterfaceName, vlanPortName } from './names.ts';
import type { Undo } from './undo.ts';

/** The VLAN in which a bridge puts every port, and untagged packets. */
const DEFAULT_VLAN = 1;

/**
 * Makes a port a member of the configured VLANs, instead of the one that the kernel gave it. A port that is in its own
 * already, as that of a gateway may be, does not leave it for a moment.
 */
export function joinVlans(host: Connection, portName: string, configuration: BridgeConfiguration): void {
	const { vlan, vlanTrunk, preserveDefaultVlan } = configuration;
	if (vlan === 0 && vlanTrunk.length === 0) return;
	const port = present(host, portName);
	const own = vlan === 0 ? DEFAULT_VLAN : vlan;
	if (!preserveDefaultVlan) {
		const others = listVlans(host, port).filter(({ first, native }) => !native || first !== own);
		host.execute(...others.map(({ first, last }) => removeVlans(port, first, last)));
	}
	host.execute(...vlanTrunk.map(({ first, last }) => addTaggedVlans(port, first, last)), addNativeVlan(port, own));
}

/** The configured VLANs of which a port is no member; its own must be its native one. */
export function missingVlans(host: Connection, port: Link, { vlan, vlanTrunk }: BridgeConfiguration): number[] {
	if (vlan === 0 && vlanTrunk.length === 0) return [];
	const joined = listVlans(host, port);
	const own = vlan === 0 ? DEFAULT_VLAN : vlan;
	const tagged = vlanTrunk.flatMap(({ first, last }) =>
		Array.from({ length: last - first + 1 }, (_, at) => first + at),
	);
	const isIn = (id: number): boolean => joined.some(({ first, last }) => first <= id && id <= last);
	const isNative = joined.some(({ first, native }) => native && first === own);
	return [...(isNative ? [] : [own]), ...tagged.filter((id) => id !== own && !isIn(id))];
}

/**
 * The host's interface in a VLAN of the bridge, which has the gateway address: one end of a pair whose other end is a
 * port in that VLAN, since not every kernel has VLAN devices. Made when it is not there, and kept while it is shared with
 * other containers.
 */
export function ensureVlanGateway(
	host: Connection,
	bridge: Link,
	configuration: BridgeConfiguration,
	mac: string,
	isShared: () => boolean,
	undo: Undo,
): Link {
	const { vlan, mtu } = configuration;
	const name = gatewayInterfaceName(bridge.name, vlan);
	const portName = vlanPortName(name);
	const pair = { name: portName, master: bridge.index, mtu, peer: { name, mac } };
	const created = tolerating(['EEXIST'], () => host.execute(createVeth(pair)));
	if (created) {
		undo(`gateway interface "${name}"`, () => {
			const gateway = isShared() ? undefined : findLink(host, name);
			if (gateway !== undefined) deleteLink(host, gateway);
		});
	} else if (findLink(host, portName) === undefined) {
		throw new CniError(
			CniErrorCode.invalidConfiguration,
			`creating the gateway interface "${name}": a device of that name exists, and is not ours; remove it, or set bridge`,
		);
	}
	joinVlans(host, portName, { ...configuration, vlanTrunk: [], preserveDefaultVlan: false });
	const gateway = present(host, name);
	if (!gateway.up) {
		prepareIpv6(name);
		host.execute(changeLink(gateway, { up: true }));
	}
	return gateway;
}

function present(host: Connection, name: string): Link {
	const link = findLink(host, name);
	if (link === undefined) throw new CniError(CniErrorCode.kernelRefused, `using interface "${name}": it vanished`);
	return link;
}
