namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Decides which URLs may be requested: HTTPS, and plain HTTP only on this machine (RFC 8555 section 6.1 always requires HTTPS). A URL
/// that a server specifies may lead to this machine or its link only if the server is there itself: a remote CA must not be able to send
/// requests to services that listen only on this machine.
/// </summary>
internal static class UrlPolicy
{
    private const int MaxHostLength = 255;

    /// <summary>Whether a URL chosen by the operator may be requested.</summary>
    public static bool IsAllowed(Uri url) => IsUsable(url) && (url.Scheme == Uri.UriSchemeHttps || IsPlainOnThisMachine(url));

    /// <summary>Whether a URL chosen by a server may be requested.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="origin">A URL of the server.</param>
    public static bool IsAllowed(Uri url, Uri origin) => IsAllowed(url) && IsWithinReach(url, origin);

    /// <summary>
    /// Whether a host that is an IP address or localhost is no closer to this machine than the origin. Other hosts are checked when
    /// they are resolved.
    /// </summary>
    public static bool IsWithinReach(Uri url, Uri origin)
        => AddressReaches.Of(url) is var reach && (reach == AddressReach.Network || reach == AddressReaches.Of(origin));

    public static void ThrowIfNotAllowed(Uri url, string parameter)
    {
        ArgumentNullException.ThrowIfNull(url, parameter);
        if (!IsAllowed(url))
        {
            throw new ArgumentException($"{url} is not an https URL; plain http is allowed only for loopback addresses.", parameter);
        }
    }

    public static void ThrowIfNotAllowed(Uri url, Uri origin, string parameter)
    {
        ThrowIfNotAllowed(url, parameter);
        if (!IsWithinReach(url, origin))
        {
            throw new ArgumentException($"{url} leads to {AddressReaches.Of(url).Describe()}, but {origin} does not.", parameter);
        }
    }

    private static bool IsPlainOnThisMachine(Uri url) => url.Scheme == Uri.UriSchemeHttp
        && AddressReaches.Of(url) == AddressReach.ThisMachine;

    // Uri may accept a host that fails only when it is used.
    private static bool IsUsable(Uri url)
    {
        try
        {
            return url.IsAbsoluteUri && url.IdnHost.Length is > 0 and <= MaxHostLength && url.Port is > 0 and <= ushort.MaxValue;
        }
        catch (Exception e) when (e is UriFormatException or ArgumentException)
        {
            return false;
        }
    }
}
