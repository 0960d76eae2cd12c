using KestrelAcme.LocalAuthority.Certificates;

namespace KestrelAcme.LocalAuthority.RenewalInformation;

/// <summary>What the authority suggests as renewal windows (RFC 9773). Thread-safe; may be changed at any time.</summary>
public sealed class RenewalSchedule
{
    private static readonly TimeSpan BeforeRevocation = TimeSpan.FromHours(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, RenewalWindow> _byCertId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _asked = new(StringComparer.Ordinal);
    private RenewalWindow? _forAll;

    /// <summary>Where the window of a certificate starts, as a fraction of its lifetime.</summary>
    /// <value>By default 2/3.</value>
    public double StartFraction { get; set; } = 2.0 / 3;

    /// <summary>How long the window is, as a fraction of the lifetime.</summary>
    /// <value>By default 0.02.</value>
    public double LengthFraction { get; set; } = 0.02;

    /// <summary>What <c>Retry-After</c> says; null leaves the header out.</summary>
    /// <value>By default 6 hours.</value>
    public TimeSpan? RetryAfter { get; set; } = TimeSpan.FromHours(6);

    /// <summary>Whether <c>Retry-After</c> is a date rather than seconds.</summary>
    /// <value>By default false.</value>
    public bool RetryAfterAsDate { get; set; }

    /// <summary>By how much a certificate's window moves each time it is asked for: forward, or back when negative.</summary>
    /// <value>By default zero.</value>
    public TimeSpan MoveBy { get; set; }

    /// <summary>Sets the window of one certificate.</summary>
    /// <param name="certId">The certificate identifier of RFC 9773, as in <see cref="IssuedCertificate.CertId"/>.</param>
    /// <param name="window">The window; null returns to the default.</param>
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

    /// <summary>Sets the window of every certificate that has none of its own, revoked ones among them.</summary>
    /// <param name="window">The window; null returns to the default.</param>
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
            // A window that is past tells the client to renew at once.
            return new RenewalWindow(revoked - BeforeRevocation, revoked - (BeforeRevocation / 2));
        }

        var lifetime = notAfter - notBefore;
        var start = notBefore + (lifetime * StartFraction);
        return new RenewalWindow(start, start + (lifetime * LengthFraction));
    }
}
