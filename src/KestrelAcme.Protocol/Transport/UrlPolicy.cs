namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Which URLs are ever asked: https, and plain http on this machine only (RFC 8555 section 6.1 wants https always). What a server names may
/// lead to this machine or its link only
/// if the server is there itself: a remote authority must not send requests to services that listen for this machine alone.
/// </summary>
internal static class UrlPolicy
{
    private const int MaxHostLength = 255;

    /// <summary>Whether a URL that the operator chose may be asked.</summary>
    public static bool IsAllowed(Uri url) => IsUsable(url) && (url.Scheme == Uri.UriSchemeHttps || IsPlainOnThisMachine(url));

    /// <summary>Whether a URL that a server named may be asked.</summary>
    /// <param name="url">What it named.</param>
    /// <param name="origin">A URL of the server.</param>
    public static bool IsAllowed(Uri url, Uri origin) => IsAllowed(url) && IsWithinReach(url, origin);

    /// <summary>
    /// Whether a host that is an IP address, or localhost, is no nearer to this machine than the origin; every other host is looked at when
    /// it is resolved.
    /// </summary>
    public static bool IsWithinReach(Uri url, Uri origin)
        => AddressReaches.Of(url) is var reach && (reach == AddressReach.Network || reach == AddressReaches.Of(origin));

    public static void ThrowIfNotAllowed(Uri url, string parameter)
    {
        ArgumentNullException.ThrowIfNull(url, parameter);
        if (!IsAllowed(url))
        {
            throw new ArgumentException($"{url} is not an https URL; plain http is for loopback addresses only.", parameter);
        }
    }

    public static void ThrowIfNotAllowed(Uri url, Uri origin, string parameter)
    {
        ThrowIfNotAllowed(url, parameter);
        if (!IsWithinReach(url, origin))
        {
            throw new ArgumentException($"{url} leads to {AddressReaches.Of(url).Describe()}, and {origin} is not there.", parameter);
        }
    }

    private static bool IsPlainOnThisMachine(Uri url) => url.Scheme == Uri.UriSchemeHttp
        && AddressReaches.Of(url) == AddressReach.ThisMachine;

    // A host may be good enough for Uri and fail only when it is used.
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
