using KestrelAcme.LocalAuthority.Certificates;

namespace KestrelAcme.LocalAuthority.RenewalInformation;

/// <summary>The suggested renewal windows (RFC 9773). Can be changed at any time. Thread-safe.</summary>
public sealed class RenewalSchedule
{
    private static readonly TimeSpan BeforeRevocation = TimeSpan.FromHours(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, RenewalWindow> _byCertId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _asked = new(StringComparer.Ordinal);
    private RenewalWindow? _forAll;

    /// <summary>The start of a certificate's window, as a fraction of its lifetime.</summary>
    /// <value>2/3 by default.</value>
    public double StartFraction { get; set; } = 2.0 / 3;

    /// <summary>The length of the window, as a fraction of the lifetime.</summary>
    /// <value>0.02 by default.</value>
    public double LengthFraction { get; set; } = 0.02;

    /// <summary>The value of <c>Retry-After</c>; null omits the header.</summary>
    /// <value>6 hours by default.</value>
    public TimeSpan? RetryAfter { get; set; } = TimeSpan.FromHours(6);

    /// <summary>Whether <c>Retry-After</c> is a date instead of seconds.</summary>
    /// <value>False by default.</value>
    public bool RetryAfterAsDate { get; set; }

    /// <summary>By how much a certificate's window moves with each request: later, or earlier if negative.</summary>
    /// <value>Zero by default.</value>
    public TimeSpan MoveBy { get; set; }

    /// <summary>Sets the window of one certificate.</summary>
    /// <param name="certId">The certificate identifier (RFC 9773); see <see cref="IssuedCertificate.CertId"/>.</param>
    /// <param name="window">The window; null restores the default.</param>
    public void Set(string certId, RenewalWindow? window)
    {
        lock (_gate)
        {
            if (window is null)
            {
                _byCertId.Remove(certId);
            }
            else
            {
                _byCertId[certId] = window;
            }
        }
    }

    /// <summary>Sets the window of all certificates without a window of their own, including revoked ones.</summary>
    /// <param name="window">The window; null restores the default.</param>
    public void SetForAll(RenewalWindow? window)
    {
        lock (_gate)
        {
            _forAll = window;
        }
    }

    internal RenewalWindow Ask(string certId, DateTimeOffset notBefore, DateTimeOffset notAfter, DateTimeOffset? revokedAt)
    {
        lock (_gate)
        {
            var asked = _asked.GetValueOrDefault(certId);
            _asked[certId] = asked + 1;
            var window = _byCertId.GetValueOrDefault(certId) ?? _forAll ?? Default(notBefore, notAfter, revokedAt);
            return window with { Start = window.Start + (asked * MoveBy), End = window.End + (asked * MoveBy) };
        }
    }

    private RenewalWindow Default(DateTimeOffset notBefore, DateTimeOffset notAfter, DateTimeOffset? revokedAt)
    {
        if (revokedAt is { } revoked)
        {
            // A window in the past makes the client renew at once.
            return new RenewalWindow(revoked - BeforeRevocation, revoked - (BeforeRevocation / 2));
        }

        var lifetime = notAfter - notBefore;
        var start = notBefore + (lifetime * StartFraction);
        return new RenewalWindow(start, start + (lifetime * LengthFraction));
    }
}

/// <summary>
/// A suggested window (RFC 9773 section 4.2). Immutable. It is served as is, even if <paramref name="End"/> is not
/// after <paramref name="Start"/>.
/// </summary>
/// <param name="Start">The start.</param>
/// <param name="End">The end.</param>
public sealed record RenewalWindow(DateTimeOffset Start, DateTimeOffset End)
{
    /// <summary>A page that explains the window; null for none.</summary>
    public Uri? ExplanationUrl { get; init; }
}
