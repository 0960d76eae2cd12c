namespace KestrelAcme.Protocol.Transport;

/// <summary>How far an IP address leads.</summary>
internal enum AddressReach
{
    /// <summary>Into a network, private or public.</summary>
    Network,

    /// <summary>To this machine: 127.0.0.0/8, ::1, and the unspecified addresses, which Linux connects to itself.</summary>
    ThisMachine,

    /// <summary>To neighbours on the link: 169.254.0.0/16, fe80::/10, multicast. Most clouds' metadata services are there.</summary>
    ThisLink,

    /// <summary>To the metadata service of a cloud, which hands out credentials.</summary>
    CloudMetadata,
}
