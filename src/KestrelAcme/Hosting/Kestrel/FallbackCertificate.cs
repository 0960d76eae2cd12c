using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// The certificate that Kestrel itself would serve: <c>Kestrel:Certificates:Default</c>, or, only in Development, the developer
/// certificate.
/// </summary>
/// <remarks>
/// Kestrel reads the default certificate again if its configuration or its file changes, without a notification: it restarts the endpoints
/// that use the certificate, and an endpoint with a selector does not. So this class asks Kestrel again if a client needs it, at most once
/// a second.
/// </remarks>
internal sealed class FallbackCertificate(IHostEnvironment environment, TimeProvider timeProvider)
{
    // The extension that marks certificates of dotnet dev-certs.
    private const string DeveloperCertificateExtension = "1.3.6.1.4.1.311.84.1.1";
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private Found? _found;
    private KestrelServerOptions? _options;

    /// <summary>The certificate for names that KestrelAcme does not manage; <see langword="null"/> if there is none.</summary>
    public AppCertificate? Current
        => (Volatile.Read(ref _found) is { } found && timeProvider.GetElapsedTime(found.At) < Fresh ? found : Find()).Certificate;

    /// <summary>Sets the options to take the certificate from. Not a constructor parameter, since their setup needs this class.</summary>
    public void Use(KestrelServerOptions options) => _options = options;

    /// <summary>Asks Kestrel again, after it has read its configuration.</summary>
    public void Refresh() => Find();

    private Found Find()
    {
        // If its settings are gone, their file may have become unreadable, which Kestrel does not notice. If they were removed, a restart
        // applies that.
        var last = Volatile.Read(ref _found)?.Certificate;
        var certificate = MayHaveOne(_options) ? Choose(last, KestrelProbe.DefaultCertificate(_options)) : last;
        var found = new Found(certificate, timeProvider.GetTimestamp());
        Volatile.Write(ref _found, found);
        return found;
    }

    // While Kestrel cannot read the certificate's file, perhaps because it is half-written, it has no certificate, or a developer
    // certificate instead. The last good one stays in use.
    private AppCertificate? Choose(AppCertificate? last, HttpsConnectionAdapterOptions? found)
    {
        if (found?.ServerCertificate is not { } certificate)
        {
            return last;
        }

        return last is { } good
            && !ReferenceEquals(good.Certificate, certificate)
            && !environment.IsDevelopment()
            && IsDevelopers(certificate)
            && !IsDevelopers(good.Certificate)
                ? last
                : new AppCertificate(certificate, found.ServerCertificateChain);
    }

    private static bool IsDevelopers(X509Certificate2 certificate) => certificate.Extensions[DeveloperCertificateExtension] is not null;

    // Otherwise Kestrel would look for a developer certificate, and log warnings about it.
    private bool MayHaveOne([NotNullWhen(true)] KestrelServerOptions? options)
        => options is not null
            && (environment.IsDevelopment()
                || options.ConfigurationLoader?.Configuration.GetSection("Certificates:Default").Exists() == true);

    private sealed record Found(AppCertificate? Certificate, long At);
}

/// <summary>Refuses a handshake with an alert (RFC 8446 section 6.2), in a way that Kestrel logs at level Debug.</summary>
internal static class HandshakeRefusal
{
    private const byte DecodeError = 50;
    private const byte UnrecognizedName = 112;

    /// <summary>Sends the alert and returns the exception that ends the handshake.</summary>
    public static AuthenticationException Refuse(ConnectionContext connection, TlsSelection selection, ILogger logger)
    {
        logger.HandshakeRefused(selection.Outcome.ToString(), selection.ServerName);
        var alert = selection.Outcome == TlsOutcome.Malformed ? DecodeError : UnrecognizedName;
        ReadOnlySpan<byte> record = [21, 3, 3, 0, 2, 2, alert];
        record.CopyTo(connection.Transport.Output.GetSpan(record.Length));
        connection.Transport.Output.Advance(record.Length);
        var flush = connection.Transport.Output.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            // Seven bytes need no wait, unless the client is gone, and then the result does not matter.
            _ = flush.AsTask().ContinueWith(
                static task => _ = task.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default);
        }

        return new AuthenticationException($"No certificate for this server name ({selection.Outcome}).");
    }
}

/// <summary>
/// Logs a warning about refused clients that send no server name, usually health probes of load balancers. At most one line an hour.
/// </summary>
internal sealed class NamelessClients(TlsCertificateTable table, TimeProvider timeProvider, ILogger<NamelessClients> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private long _reported = -1;
    private int _refused;

    /// <summary>Counts a refused client.</summary>
    /// <param name="remote">The address of the client.</param>
    public void Refused(EndPoint? remote)
    {
        var refused = Interlocked.Increment(ref _refused);
        var managed = table.Managed;
        if (managed.Count == 0 || managed.Sole is not null)
        {
            // There is no certificate, or a single one that is not issued yet: a default server name would not help.
            return;
        }

        var now = timeProvider.GetTimestamp();
        var last = Interlocked.Read(ref _reported);
        if ((last < 0 || timeProvider.GetElapsedTime(last, now) >= Interval)
            && Interlocked.CompareExchange(ref _reported, now, last) == last)
        {
            Interlocked.Add(ref _refused, -refused);
            if (table.Settings.DefaultServerName is { } name)
            {
                logger.NamelessClientRefusedDespiteDefault(remote, name.ToString(), refused);
            }
            else
            {
                logger.NamelessClientRefused(remote, refused);
            }
        }
    }
}
