using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>What the hosting layer says.</summary>
internal static partial class HostingLog
{
    public static void HostingFailed(this ILogger logger, Exception exception) => logger.HostingFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(1000, LogLevel.Critical, "Automatic HTTPS failed at start or stop by a defect. The application goes on with what is served.", EventName = nameof(HostingFailed))]
    private static partial void HostingFailedQuoted(this ILogger logger, Exception exception);

    [LoggerMessage(1001, LogLevel.Warning, "http-01 is the only challenge type, but no plain HTTP endpoint listens: the authority asks on port 80 and will find nothing. Add an http:// endpoint that port 80 leads to.")]
    public static partial void NoHttpEndpoint(this ILogger logger);

    [LoggerMessage(1002, LogLevel.Information, "http-01 is answered on {Addresses}. The authority asks on port 80: make sure that port 80 of the public address leads there.")]
    public static partial void HttpEndpoints(this ILogger logger, Quoted addresses);

    [LoggerMessage(1003, LogLevel.Information, "No domain names are configured (AcmeHttps:DomainNames); certificates are ordered for names that are added at run time.")]
    public static partial void NoDomainNames(this ILogger logger);

    [LoggerMessage(1004, LogLevel.Error, "No HTTPS endpoint serves our certificates: none listens, or each has a certificate or HTTPS options of its own. Add an https:// address, or call httpsOptions.UseAcmeHttps(services) where the options are replaced.")]
    public static partial void NoHttpsEndpoint(this ILogger logger);

    [LoggerMessage(1005, LogLevel.Warning, "The DNS provider {Type} at {Host} is asked over plain http: its API key and the zone are open to everybody in between. Put TLS in front of it and write an https URL, or reach it on this machine.")]
    public static partial void PlainHttpProvider(this ILogger logger, Quoted type, Quoted host);
}
