using System.Collections.Concurrent;
using KestrelAcme.Configuration;
using KestrelAcme.Protocol;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// The request rates of CAs whose limits per IP address are known: one for all clients of a CA in this process. Requests to other CAs, in
/// particular private ones, are never slowed down.
/// </summary>
internal sealed class RequestPaces(TimeProvider time)
{
    // The documented rates of Let's Encrypt. Requests that leave here evenly may arrive in bunches, and another process may share the
    // address. So a tenth of the rate and half of the burst are left unused.
    private static readonly Dictionary<AcmeRequestKind, AcmeRate> LetsEncrypt = WithReserve(new()
    {
        [AcmeRequestKind.NewNonce] = new(20, 10),
        [AcmeRequestKind.NewAccount] = new(5, 15),
        [AcmeRequestKind.NewOrder] = new(300, 200),
        [AcmeRequestKind.RevokeCertificate] = new(10, 100),
        [AcmeRequestKind.RenewalInfo] = new(1000, 100),
        [AcmeRequestKind.Directory] = new(40, 40),
        [AcmeRequestKind.Other] = new(250, 125),
    });

    private static readonly Dictionary<AcmeRequestKind, AcmeRate> LetsEncryptStaging = WithReserve(new()
    {
        [AcmeRequestKind.NewNonce] = new(20, 10),
        [AcmeRequestKind.NewAccount] = new(5, 15),
        [AcmeRequestKind.NewOrder] = new(20, 40),
        [AcmeRequestKind.Directory] = new(40, 40),
        [AcmeRequestKind.Other] = new(20, 20),
    });

    private readonly ConcurrentDictionary<string, AcmeRequestPace> _paces = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the request rate for a CA.</summary>
    /// <returns><see langword="null"/> if the limits of the CA are unknown. Its requests are not slowed down.</returns>
    public AcmeRequestPace? For(Uri directoryUrl)
        => RatesOf(directoryUrl) is { } rates ? _paces.GetOrAdd(directoryUrl.IdnHost, _ => new AcmeRequestPace(rates, time)) : null;

    // By host, because the limits apply to the host, whatever the path of the directory is.
    private static Dictionary<AcmeRequestKind, AcmeRate>? RatesOf(Uri directoryUrl)
        => IsHostOf(WellKnownAuthorities.LetsEncrypt, directoryUrl) ? LetsEncrypt
            : IsHostOf(WellKnownAuthorities.LetsEncryptStaging, directoryUrl) ? LetsEncryptStaging
            : null;

    private static bool IsHostOf(string authority, Uri directoryUrl)
        => WellKnownAuthorities.FindByName(authority) is { } known
            && string.Equals(known.DirectoryUrl.IdnHost, directoryUrl.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static Dictionary<AcmeRequestKind, AcmeRate> WithReserve(Dictionary<AcmeRequestKind, AcmeRate> documented)
        => documented.ToDictionary(rate => rate.Key, rate => new AcmeRate(rate.Value.PerSecond * 0.9, Math.Max(1, rate.Value.Burst / 2)));
}
