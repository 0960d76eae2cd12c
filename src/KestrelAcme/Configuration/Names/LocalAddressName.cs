using System.Net;

namespace KestrelAcme.Configuration.Names;

/// <summary>The name or address whose certificate answers clients without SNI on one local address.</summary>
/// <param name="Address">The local address, never an IPv4 address mapped to IPv6.</param>
/// <param name="Name">The name or the address in its normal form.</param>
internal sealed record LocalAddressName(IPAddress Address, string Name);
