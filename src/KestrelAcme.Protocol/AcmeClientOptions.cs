using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Protocol;

/// <summary>Settings of an <see cref="AcmeClient"/>; read once, when the client is made.</summary>
public sealed class AcmeClientOptions
{
    /// <summary>Roots that are trusted for the HTTPS of the authority besides those of the system: for a private authority.</summary>
    /// <value><see langword="null"/>: the system's roots alone. Not allowed together with <see cref="HttpClient"/> or <see cref="HttpMessageHandler"/>.</value>
    public X509Certificate2Collection? TrustedRoots { get; set; }

    /// <summary>
    /// Gives roots as <see cref="TrustedRoots"/> does, but is asked at each TLS handshake: for roots that are replaced while the client is
    /// in use. Must be thread-safe and must not throw.
    /// </summary>
    /// <value><see langword="null"/>: <see cref="TrustedRoots"/> alone.</value>
    public Func<X509Certificate2Collection?>? TrustedRootsSource { get; set; }

    /// <summary>A client to send with; it is not disposed. It should not follow redirects, and its own time-out still holds.</summary>
    /// <value><see langword="null"/>: the library makes its own.</value>
    public HttpClient? HttpClient { get; set; }

    /// <summary>A handler to send with; it is not disposed. It should not follow redirects.</summary>
    /// <value><see langword="null"/>: the library makes its own.</value>
    public HttpMessageHandler? HttpMessageHandler { get; set; }

    /// <summary>The clock for time-outs, pauses and ages.</summary>
    /// <value><see cref="TimeProvider.System"/>.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>The program that uses the library; goes first in the User-Agent header.</summary>
    /// <value><see langword="null"/>: the library's own name and version alone.</value>
    public ProductInfoHeaderValue? UserAgentProduct { get; set; }

    /// <summary>The language for the server's messages (<c>Accept-Language</c>).</summary>
    /// <value><c>en</c>.</value>
    public string AcceptLanguage { get; set; } = "en";

    /// <summary>How long one request may take, its answer included.</summary>
    /// <value>30 seconds; more than zero.</value>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a directory is used before it is fetched again.</summary>
    /// <value>1 hour; zero fetches it for each operation.</value>
    public TimeSpan DirectoryMaxAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How requests are repeated.</summary>
    /// <value>The defaults of <see cref="AcmeRetryOptions"/>.</value>
    public AcmeRetryOptions Retry { get; set; } = new();

    /// <summary>
    /// The pace that requests keep to, so that a limit per IP address is not met. Share it among all clients of one authority.
    /// </summary>
    /// <value><see langword="null"/>: requests are sent at once.</value>
    public AcmeRequestPace? RequestPace { get; set; }

    /// <summary>A source of random numbers from 0 up to, but not including, 1; for the pauses between attempts. Must be thread-safe.</summary>
    /// <value><see cref="Random.Shared"/>.</value>
    public Func<double> Jitter { get; set; } = Random.Shared.NextDouble;

    internal bool HasTrustedRoots => TrustedRoots is { Count: > 0 } || TrustedRootsSource is not null;

    /// <summary>A copy that later changes do not reach.</summary>
    /// <exception cref="ArgumentException">A value makes no sense.</exception>
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
