namespace KestrelAcme.Protocol.Transport;

/// <summary>Which URLs are ever asked: https, and plain http on this machine only (RFC 8555 section 6.1 wants https always).</summary>
internal static class UrlPolicy
{
    public static bool IsAllowed(Uri url) => url.IsAbsoluteUri
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));

    public static void ThrowIfNotAllowed(Uri url, string parameter)
    {
        ArgumentNullException.ThrowIfNull(url, parameter);
        if (!IsAllowed(url))
        {
            throw new ArgumentException($"{url} is not an https URL; plain http is for loopback addresses only.", parameter);
        }
    }
}
