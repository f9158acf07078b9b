// What the `network/cni` isolator of Mesos says about a container, in `args["org.apache.mesos"]`.

import { type Fields, fieldsOf, readFields, readFieldsList, readString } from './fields.ts';

const CALLER = 'org.apache.mesos';

/** The NetworkInfo (include/mesos/mesos.proto) of the container; without members when Mesos gave none, undefined when not Mesos calls. */
export function mesosNetworkInfo(args: Fields | undefined): Fields | undefined {
	const caller = args && readFields(args, CALLER);
	return (
		caller && (readFields(caller, 'network_info') ?? fieldsOf({}, `${caller.path}network_info.`, caller.lenient))
	);
}

/** The addresses that the framework asks for; an entry of `ip_addresses` with only a `protocol` leaves the choice to us. */
export function mesosAddresses(networkInfo: Fields): string[] {
	const entries = readFieldsList(networkInfo, 'ip_addresses') ?? [];
	return entries.map((entry) => readString(entry, 'ip_address')).filter((address) => address !== undefined);
}
