using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Protocol;

/// <summary>Options of an <see cref="AcmeClient"/>. They are read once, by its constructor.</summary>
public sealed class AcmeClientOptions
{
    /// <summary>Root certificates to trust for the CA's HTTPS endpoint in addition to the system's, for a private CA.</summary>
    /// <value><see langword="null"/> by default: only the system's roots. Cannot be combined with <see cref="HttpClient"/> or
    /// <see cref="HttpMessageHandler"/>.</value>
    public X509Certificate2Collection? TrustedRoots { get; set; }

    /// <summary>
    /// Returns additional root certificates, like <see cref="TrustedRoots"/>, but is called for each TLS handshake, for roots that change
    /// while the client is in use. Must be thread-safe and must not throw.
    /// </summary>
    /// <value><see langword="null"/> by default: only <see cref="TrustedRoots"/>.</value>
    public Func<X509Certificate2Collection?>? TrustedRootsSource { get; set; }

    /// <summary>
    /// A client to send requests with. It is not disposed, should not follow redirects, and its own timeout applies as
    /// well.
    /// </summary>
    /// <value><see langword="null"/> by default: the library creates one.</value>
    public HttpClient? HttpClient { get; set; }

    /// <summary>A handler to send requests with. It is not disposed and should not follow redirects.</summary>
    /// <value><see langword="null"/> by default: the library creates one.</value>
    public HttpMessageHandler? HttpMessageHandler { get; set; }

    /// <summary>The clock for timeouts, delays and ages.</summary>
    /// <value><see cref="TimeProvider.System"/> by default.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>The application that uses the library; sent first in the User-Agent header.</summary>
    /// <value><see langword="null"/> by default: only the library's name and version are sent.</value>
    public ProductInfoHeaderValue? UserAgentProduct { get; set; }

    /// <summary>The language of the server's messages (<c>Accept-Language</c>).</summary>
    /// <value><c>en</c> by default.</value>
    public string AcceptLanguage { get; set; } = "en";

    /// <summary>The timeout of one request, including reading its response.</summary>
    /// <value>30 seconds by default; must be positive.</value>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a directory is used before it is fetched again.</summary>
    /// <value>1 hour by default; zero fetches it for each operation.</value>
    public TimeSpan DirectoryMaxAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How failed requests are retried.</summary>
    /// <value>The defaults of <see cref="AcmeRetryOptions"/>.</value>
    public AcmeRetryOptions Retry { get; set; } = new();

    /// <summary>
    /// Limits the rate of requests so that the CA's limits per IP address are not reached. Share it among all clients of one CA.
    /// </summary>
    /// <value><see langword="null"/> by default: requests are sent without delay.</value>
    public AcmeRequestPace? RequestPace { get; set; }

    /// <summary>Returns random numbers from 0 (inclusive) to 1 (exclusive), for the delays between attempts. Must be thread-safe.</summary>
    /// <value><see cref="Random.Shared"/> by default.</value>
    public Func<double> Jitter { get; set; } = Random.Shared.NextDouble;

    internal bool HasTrustedRoots => TrustedRoots is { Count: > 0 } || TrustedRootsSource is not null;

    /// <summary>Checks the values and returns a copy that later changes do not affect.</summary>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    internal AcmeClientOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RequestTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(DirectoryMaxAge, TimeSpan.Zero);
        ArgumentNullException.ThrowIfNull(TimeProvider);
        ArgumentNullException.ThrowIfNull(Jitter);
        ArgumentNullException.ThrowIfNull(Retry);
        var copy = (AcmeClientOptions)MemberwiseClone();
        copy.Retry = Retry.Validated();
        return copy;
    }
}
