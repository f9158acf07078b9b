// The sets and maps of our tables, and the types of their fields.

import type { FieldType } from '../netlink/nf-field.ts';
import type { SetLayout } from '../netlink/nf-set.ts';

/** In a set of intervals, a key stands for all addresses of a CIDR. */
export type SetShape = Omit<SetLayout, 'name'>;

/** A shape in which `address` stands for the type of one family's addresses. */
interface FamilyShape {
	readonly key: readonly (FieldType | 'address')[];
	readonly data?: readonly (FieldType | 'address')[];
	readonly intervals?: true;
}

/** Of the table `inet mesos_overlay`, one for each family: `host_ports4` and `host_ports6`. */
const FAMILY_SETS = {
	/** Ports of every address of the host, and where they lead to. */
	host_ports: { key: ['inet_proto', 'inet_service'], data: ['address', 'inet_service'] },
	/** The same for one address of the host. */
	host_ip_ports: { key: ['address', 'inet_proto', 'inet_service'], data: ['address', 'inet_service'] },
	/** Ports that the host reaches by its loopback addresses, and the address by which containers see it then; */
	loopback_sources: { key: ['inet_proto', 'inet_service'], data: ['address'] },
	/** the same for one loopback address. */
	loopback_ip_sources: { key: ['address', 'inet_proto', 'inet_service'], data: ['address'] },
	/** All overlays, on all hosts. */
	overlays: { key: ['address'], intervals: true },
	/** Those whose containers leave by the host's address. */
	masqueraded_overlays: { key: ['address'], intervals: true },
	/** Containers that leave by the host's address one by one. */
	masqueraded: { key: ['address'] },
	/** Everywhere that containers are. */
	containers: { key: ['address'], intervals: true },
	/** Of these, where those of this host are. */
	subnets: { key: ['address'], intervals: true },
	/** Pairs of the same subnet twice: what goes from the one to the other does not pass the host on its way back. */
	same_bridge: { key: ['address', 'address'], intervals: true },
	/** Networks which are reached by their own containers only. */
	closed: { key: ['address'], intervals: true },
	/** Pairs of the same network twice. */
	same_network: { key: ['address', 'address'], intervals: true },
	/** Containers that are reached by nobody. */
	isolated: { key: ['address'] },
	/** Containers that are reached by those only whom a policy names, */
	guarded: { key: ['address'] },
	/** on every port, */
	allowed_pairs: { key: ['address', 'address'] },
	/** or on some. */
	allowed_ports: { key: ['address', 'address', 'inet_proto', 'inet_service'] },
} as const satisfies Record<string, FamilyShape>;

/** Of the same table. */
const HOST_SETS = {
	/** The containers' bridges. */
	bridges: { key: ['ifname'] },
	/** Where ports of the host do not exist. */
	excluded_devices: { key: ['ifname', 'inet_proto', 'inet_service'] },
} as const satisfies Record<string, SetShape>;

/** Of the table `bridge mesos_overlay`. */
const PORT_SETS = {
	/** Ports that send by MACs of their own only, */
	checked_ports: { key: ['ifname'] },
	own_macs: { key: ['ifname', 'ether_addr'] },
	/** and those that send by addresses of their own only, too. */
	strict_ports: { key: ['ifname'] },
	own_addresses4: { key: ['ifname', 'ipv4_addr'] },
	own_addresses6: { key: ['ifname', 'ipv6_addr'] },
} as const satisfies Record<string, SetShape>;

export type SetName = `${keyof typeof FAMILY_SETS}${4 | 6}` | keyof typeof HOST_SETS | keyof typeof PORT_SETS;

/** Whether a set is one of the table `bridge mesos_overlay`. */
export function isPortSet(set: SetName): boolean {
	return set in PORT_SETS;
}

/** The shape of a set. Computed when it is asked for: of all of them, an ADD needs few. */
export function shapeOf(set: SetName): SetShape {
	const others: Readonly<Partial<Record<string, SetShape>>> = { ...HOST_SETS, ...PORT_SETS };
	const own = others[set];
	if (own !== undefined) return own;
	const families: Readonly<Partial<Record<string, FamilyShape>>> = FAMILY_SETS;
	const shape = families[set.slice(0, -1)];
	if (shape === undefined) throw new RangeError(`there is no set "${set}"`);
	const address = set.endsWith('4') ? 'ipv4_addr' : 'ipv6_addr';
	return {
		key: typesOf(shape.key, address),
		...(shape.data && { data: typesOf(shape.data, address) }),
		...(shape.intervals && { intervals: true }),
	};
}

/** In a loop: with what a transaction has to look up, Array.map would be called so often that the compiler is started for it. */
function typesOf(types: FamilyShape['key'], address: FieldType): FieldType[] {
	const own: FieldType[] = [];
	for (const type of types) own.push(type === 'address' ? address : type);
	return own;
}

/** The sets of the table `inet mesos_overlay`, in the order in which they are made. */
export function hostSets(): SetLayout[] {
	const ofFamily = (family: 4 | 6): string[] => Object.keys(FAMILY_SETS).map((name) => `${name}${family}`);
	return layouts([...ofFamily(4), ...ofFamily(6), ...Object.keys(HOST_SETS)]);
}

/** Those of the table `bridge mesos_overlay`. */
export function portSets(): SetLayout[] {
	return layouts(Object.keys(PORT_SETS));
}

function layouts(names: readonly string[]): SetLayout[] {
	return names.map((name) => ({ name, ...shapeOf(name as SetName) }));
}
