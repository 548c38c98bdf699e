/**
 * Reads network interfaces that stand for a machine. Bridges, tunnels and the host's ends of containers come and go and are left
 * out; inside a container the one thing that leads to the LAN has no hardware behind it either, and is taken when nothing else is.
 */
import type { FactsRoot } from './facts-root.ts';
import type { NetworkInterface } from './facts.ts';
import { limits } from '../limits.ts';

/** Names that programs give to interfaces they make; never a LAN card. */
const MADE_UP = /^(lo$|veth|docker|br-|virbr|vnet|lxcbr|lxdbr|cni|flannel|cali|cilium|kube|tap|tun|wg|zt|tailscale|dummy|bond|team|ifb|vlan|sit|gre|ip6)/;
/** Kinds the kernel stacks on other interfaces. A pair (veth) says no kind, macvlan and ipvlan are how containers get on the LAN. */
const STACKED = /^DEVTYPE=(bridge|bond|vlan|vxlan|geneve|wireguard|gre)/m;

/** Interfaces that stand for this machine, sorted by name. */
export function readInterfaces(root: FactsRoot): readonly NetworkInterface[] {
  const hardware: NetworkInterface[] = [];
  const paired: NetworkInterface[] = [];
  for (const name of root.list('/sys/class/net')) {
    const at = `/sys/class/net/${name}`;
    const mac = (root.text(`${at}/address`) ?? '').toLowerCase();
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) || mac === '00:00:00:00:00:00' || root.text(`${at}/type`) !== '1') continue;
    const permanent = root.text(`${at}/addr_assign_type`) === '0';
    if (root.exists(`${at}/device`)) {
      const path = root.target(`${at}/device`) ?? '';
      hardware.push({ name, mac, bus: /\/usb\d*\//.test(`${path}/`) ? 'usb' : 'built-in', permanent });
    } else if (!MADE_UP.test(name) && !name.includes('.') && !root.exists(`${at}/bridge`) && !STACKED.test(root.text(`${at}/uevent`) ?? '')) {
      paired.push({ name, mac, bus: 'virtual', permanent: false });
    }
  }
  return (hardware.length > 0 ? hardware : paired).slice(0, limits.interfacesMax);
}
