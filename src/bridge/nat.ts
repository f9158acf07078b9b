// What an attachment wants of the rules of the host, out of its configuration and its addresses.

import { CniError } from '../cni/errors.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import type { Request } from '../cni/request.ts';
import type { IpConfig } from '../cni/result.ts';
import { formatIp } from '../ip/address.ts';
import { networkOf } from '../ip/cidr.ts';
import { diedUnseen } from '../ipam/liveness.ts';
import { overlaysOf } from '../ipam/overlays.ts';
import { readPath } from '../ipam/path.ts';
import type { RoutedAddress } from '../ipam/routed.ts';
import { kernel } from '../ipam/system.ts';
import { hostInterfaceName } from '../linux/host-interface-name.ts';
import { namespaceIdentity } from '../linux/network-namespace.ts';
import { note } from '../linux/standard-error.ts';
import { ensureSysctl } from '../linux/sysctl.ts';
import type { Wish } from '../nat/attach.ts';
import { assertMappable, type BackendName, type NatConfiguration, needsNat } from '../nat/configuration.ts';
import { NAT_DIRECTORY } from '../nat/record-files.ts';
import { requireCidr } from '../netlink/address-family.ts';
import { OUR_IPAM } from './address-manager.ts';
import type { BridgeConfiguration } from './configuration.ts';
import { gatewayInterfaceName, linkLocalAddress } from './names.ts';

/** The directory of the records, `natDir`. Throws CniError 7 when it is no absolute path. */
function readNatDirectory({ fields }: NetworkConfiguration): string {
	return readPath(fields, 'natDir') ?? NAT_DIRECTORY;
}

/** The same for a DEL, which nobody can repair any more: where records are by default, unless the configuration says otherwise. */
export function natDirectoryForDel(configuration: NetworkConfiguration): string {
	try {
		return readNatDirectory({ ...configuration, fields: { ...configuration.fields, lenient: false } });
	} catch (error) {
		note(`${error instanceof CniError ? error.message : String(error)}, looking in "${NAT_DIRECTORY}"`);
		return NAT_DIRECTORY;
	}
}

/** What an attachment will be, as far as rules are concerned. */
export interface NatPlan {
	readonly ips: readonly IpConfig[];
	readonly routed: readonly RoutedAddress[];
	/** Of the container's interface. */
	readonly mac: string;
}

/**
 * What the attachment wants; undefined: nothing. Throws CniError 7 for ports of the host that no address of the container
 * can have.
 */
export function natWish(
	request: Request,
	{ nat, bridge, vlan }: Pick<BridgeConfiguration, 'nat' | 'bridge' | 'vlan'>,
	plan: NatPlan,
): Wish | undefined {
	if (!needsNat(nat)) return undefined;
	const { configuration, deadline } = request;
	const { addresses, subnets } = placesOf(plan);
	assertMappable(nat.portMappings, addresses);
	const overlays = configuration.ipamType === OUR_IPAM ? overlaysOf(configuration) : [];
	const isOverlay = overlays.length > 0;
	const now = Date.now();
	const died = diedUnseen(kernel, now);
	return {
		directory: readNatDirectory(configuration),
		backend: nat.backend,
		network: {
			network: configuration.name,
			bridge: vlan === 0 ? bridge : gatewayInterfaceName(bridge, vlan),
			subnets,
			overlays,
			masquerade: nat.ipMasq && isOverlay,
			isolation: nat.isolation,
		},
		attachment: ownWish(request, nat, plan, { addresses, masquerade: nat.ipMasq && !isOverlay, time: now }),
		isDead: (holder) => died({ ...holder, address: '', index: 0, bootId: '' }) !== undefined,
		deadline,
	};
}

/** The container's addresses, and the subnets in which they are on the bridge. */
function placesOf({ ips, routed }: NatPlan): { readonly addresses: string[]; readonly subnets: string[] } {
	const addresses: string[] = [];
	const subnets: string[] = [];
	for (const { address: cidr } of ips) {
		const { ip, prefix } = requireCidr(cidr);
		const address = formatIp(ip);
		addresses.push(address);
		const half = routed.find((each) => each.address === address);
		subnets.push(half?.subnet ?? `${formatIp(networkOf({ ip, prefix }))}/${prefix}`);
	}
	return { addresses, subnets };
}

/** What is the attachment's alone; undefined when it has no more than its network. */
function ownWish(
	request: Request,
	nat: NatConfiguration,
	{ ips, mac }: NatPlan,
	known: { readonly addresses: readonly string[]; readonly masquerade: boolean; readonly time: number },
): Wish['attachment'] {
	const { portMappings, excludeDevices, isolation, policy, labels, macspoofchk, spoofCheck } = nat;
	const checksPort = macspoofchk || spoofCheck;
	const hasOwn =
		portMappings.length > 0 || known.masquerade || isolation === 'container' || policy !== undefined || checksPort;
	if (!hasOwn) return undefined;
	const { containerId, ifname, netns, configuration } = request;
	const namespace = namespaceIdentity(netns);
	return {
		containerId,
		ifname,
		network: configuration.name,
		netns,
		...(namespace && { namespace }),
		...known,
		gateways: ips.flatMap(({ gateway }) => gateway ?? []),
		portMappings,
		excludeDevices,
		isolation,
		...(policy && { policy }),
		labels,
		...(checksPort && {
			port: {
				name: hostInterfaceName(request),
				mac,
				...(spoofCheck && { addresses: [...known.addresses, linkLocalAddress(mac)] }),
			},
		}),
	};
}

/**
 * With iptables, lets the host reach its own ports by 127.0.0.1: the kernel takes packets with such an address for errors of
 * somebody else on every interface that does not say otherwise. The rules keep containers from doing the same.
 */
export function openLoopback({ attachment, network }: Wish, backend: BackendName | undefined): void {
	const isMapped = attachment?.portMappings.some(({ families }) => families.includes(4)) === true;
	if (isMapped && backend === 'iptables') ensureSysctl(`ipv4/conf/${network.bridge}/route_localnet`, '1');
}
