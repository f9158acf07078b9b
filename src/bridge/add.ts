// ADD: a veth pair between the container and the bridge, and what it takes for packets to flow.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { Request } from '../cni/request.ts';
import type { Interface, IpConfig, Result } from '../cni/result.ts';
import { ensureSysctl } from '../linux/sysctl.ts';
import type { Connection } from '../netlink/connection.ts';
import { attachNat, detachNat, type Wish } from '../nat/attach.ts';
import type { BackendName } from '../nat/configuration.ts';
import { changeLink, findLink, type Link } from '../netlink/link.ts';
import { NETLINK_ROUTE, openConnection } from '../netlink/socket.ts';
import { addressManager, UNDO_TIME } from './address-manager.ts';
import { planAttachment } from './attachment-plan.ts';
import { limitBandwidth } from './bandwidth.ts';
import { findBridge } from './bridge-device.ts';
import { type BridgeConfiguration, readBridgeConfiguration } from './configuration.ts';
import {
	awaitDuplicateDetection,
	type Container,
	configureContainer,
	readAddresses,
	readRoutes,
} from './container-interface.ts';
import { openContainerNamespace } from './container-namespace.ts';
import { ensureForwarding } from './forwarding.ts';
import { ensureGateways } from './gateway.ts';
import { ensureHostRoutes } from './host-routes.ts';
import { type HostSide, servesOthers } from './host-side.ts';
import { natWish, openLoopback } from './nat.ts';
import { answerForContainer, needsIsolatedPort } from './isolation.ts';
import { awaitDiscoverable } from './neighbour-discovery.ts';
import { awaitForwarding, awaitOperational, createPort, refuseExistingPort } from './port.ts';
import { type Undo, withUndo } from './undo.ts';
import { ensureVlanGateway } from './vlan.ts';

/** Where the container's interface stands in the result. */
const CONTAINER_INTERFACE = 2;

/** Attaches the container, or leaves nothing behind. Throws CniError, or the error of the layer that failed. */
export async function add(request: Request): Promise<Result> {
	const configuration = readBridgeConfiguration(request);
	if (request.configuration.ipamType === '')
		planAttachment(request, configuration, { ips: [], routes: [], routed: [] });
	refuseTemplate(request);
	const namespace = openContainerNamespace(request);
	const connection = namespace.run(() => openConnection(NETLINK_ROUTE, request.deadline));
	refuseExistingInterface(connection, request);
	const host = openConnection(NETLINK_ROUTE, request.deadline);
	const bridge = findBridge(host, configuration.bridge);
	return withUndo((undo) => attach(request, configuration, host, bridge, { namespace, connection }, undo));
}

/** The kernel takes a name with "%d" for a template and fills it in (dev_alloc_name in net/core/dev.c). */
function refuseTemplate({ ifname }: Request): void {
	if (!ifname.includes('%')) return;
	throw new CniError(
		CniErrorCode.invalidEnvironment,
		`reading CNI_IFNAME: no device can have a "%" in its name, got "${ifname}"`,
	);
}

function refuseExistingInterface(container: Connection, { ifname, netns }: Request): void {
	const existing = findLink(container, ifname);
	if (existing === undefined) return;
	const kind = existing.kind === '' ? '' : ` (${existing.kind})`;
	throw new CniError(
		CniErrorCode.interfaceExists,
		`creating interface "${ifname}" in "${netns}": the container already has one of that name${kind}`,
	);
}

async function attach(
	request: Request,
	configuration: BridgeConfiguration,
	host: Connection,
	existingBridge: Link | undefined,
	container: Container,
	undo: Undo,
): Promise<Result> {
	const { deadline } = request;
	const manager = addressManager(request);
	const leased = await manager.add(request);
	undo('the lease', () => manager.del({ ...request, command: 'DEL', deadline: performance.now() + UNDO_TIME }));
	const { addresses, gateways, routed, routes, mac, gatewayMac } = planAttachment(request, configuration, leased);
	const wish = natWish(request, configuration, { ips: addresses, routed, mac });
	const backend = wish && (await layRules(wish, host, request, undo));

	const { nat, portIsolation } = configuration;
	const isIsolated = needsIsolatedPort(nat);
	// Containers with a policy reach each other through the host, then.
	const mediated = isIsolated && nat.policy !== undefined;
	const ends = { namespace: container.namespace.descriptor, mac, bridgeMac: gatewayMac };
	const ported = { ...configuration, portIsolation: portIsolation || isIsolated };
	const { bridge, portName } = createPort(host, ported, request, ends, existingBridge, undo);
	const { bandwidth } = configuration;
	const ifb = bandwidth && limitBandwidth(host, linkOf(host, portName), request, bandwidth, undo);
	const inside = linkOf(container.connection, request.ifname);
	const { vlan, disableContainerInterface: staysDown, enabledad } = configuration;
	if (!staysDown)
		configureContainer(container, inside, addresses, routes, {
			enabledad,
			throughHost: routed.length > 0 || mediated,
		});

	const inVlan = vlan !== 0 && gateways.length > 0;
	const isShared = (): boolean => servesOthers(host, bridge, vlan, portName);
	const gatewayInterface = inVlan
		? ensureVlanGateway(host, bridge, configuration, gatewayMac, isShared, undo)
		: bridge;
	const side: HostSide = { host, link: gatewayInterface, isShared };
	ensureGateways(side, gateways, routed, configuration.forceAddress, undo);
	ensureHostRoutes(side, routed, undo);
	ensureForwarding(gateways);
	if (wish !== undefined) openLoopback(wish, backend);
	if (mediated) answerForContainer(host, gatewayInterface, wish?.attachment?.addresses ?? []);

	const port = staysDown ? linkOf(host, portName) : awaitForwarding(host, portName, deadline);
	awaitDiscoverable(container.connection, inside, cidrsOf(addresses), deadline);
	awaitDiscoverable(host, gatewayInterface, gateways, deadline);
	const isSettled = (bridge.operational && bridge.mtu <= configuration.mtu) || staysDown;
	const settledBridge = isSettled ? bridge : awaitOperational(host, bridge, deadline);
	if (configuration.mac !== undefined) announceMac(container, inside, mac);
	if (enabledad) awaitDuplicateDetection(container.connection, inside, deadline);

	return {
		interfaces: [
			describe(settledBridge),
			describe(port),
			{ ...describe(inside), sandbox: request.netns },
			...(inVlan ? [describe(gatewayInterface)] : []),
			...(ifb === undefined ? [] : [describe(ifb)]),
		],
		ips: ofContainer(readAddresses(container.connection, inside, addresses)),
		routes: readRoutes(container.connection, inside, staysDown ? [] : routes),
		dns: request.configuration.dns ?? leased.dns,
	};
}

/** Before there is an interface, so that its first packet meets them. Those of an attachment that exists stay. */
async function layRules(wish: Wish, host: Connection, request: Request, undo: Undo): Promise<BackendName> {
	refuseExistingPort(host, request);
	undo('the rules', async () => {
		await detachNat(wish.directory, request, performance.now() + UNDO_TIME);
	});
	return attachNat(wish);
}

function cidrsOf(addresses: readonly IpConfig[]): string[] {
	const cidrs: string[] = [];
	for (const { address } of addresses) cidrs.push(address);
	return cidrs;
}

function ofContainer(addresses: readonly IpConfig[]): IpConfig[] {
	const ips: IpConfig[] = [];
	for (const ip of addresses) ips.push({ ...ip, interface: CONTAINER_INTERFACE });
	return ips;
}

function describe({ name, mac, mtu }: Link): Interface {
	return { name, mac, mtu };
}

function linkOf(connection: Connection, link: string | number): Link {
	const found = findLink(connection, link);
	if (found !== undefined) return found;
	throw new CniError(CniErrorCode.kernelRefused, `looking up interface "${link}": it vanished during the ADD`);
}

/**
 * A MAC that was asked for does not follow from the address, so neighbours may remember another one: with `arp_notify`,
 * a change of the MAC (to what it is) has the kernel send a gratuitous ARP, now that the port lets it through.
 */
function announceMac({ namespace, connection }: Container, link: Link, mac: string): void {
	namespace.run(() => ensureSysctl(`ipv4/conf/${link.name}/arp_notify`, '1'));
	connection.execute(changeLink(link, { mac }));
}
