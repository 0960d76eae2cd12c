using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>Log messages of hosting. Event IDs 1000 to 1099.</summary>
internal static partial class HostingLog
{
    public static void HostingFailed(this ILogger logger, Exception exception)
        => logger.HostingFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(1000, LogLevel.Critical,
        "Automatic HTTPS hit an unexpected error during startup or shutdown. The app keeps running with its current certificates.",
        EventName = nameof(HostingFailed))]
    private static partial void HostingFailedQuoted(this ILogger logger, Exception exception);

    [LoggerMessage(1001, LogLevel.Warning,
        "http-01 is the only challenge type, but the app has no plain HTTP endpoint: the CA connects to port 80, so validation will fail. "
        + "Add an http:// endpoint that port 80 leads to.")]
    public static partial void NoHttpEndpoint(this ILogger logger);

    [LoggerMessage(1002, LogLevel.Information,
        "KestrelAcme responds to http-01 on {Addresses}. The CA connects to port 80: make sure that port 80 of the public address leads "
        + "there.")]
    public static partial void HttpEndpoints(this ILogger logger, Quoted addresses);

    [LoggerMessage(1003, LogLevel.Information,
        "No domain names are configured (AcmeHttps:DomainNames). Certificates are ordered only for names that are added at run time.")]
    public static partial void NoDomainNames(this ILogger logger);

    [LoggerMessage(1004, LogLevel.Error,
        "No HTTPS endpoint serves KestrelAcme's certificates: the app has none, or each has its own certificate or HTTPS options. "
        + "Add an https:// address, or call httpsOptions.UseAcmeHttps(services) in the code that replaces the options.")]
    public static partial void NoHttpsEndpoint(this ILogger logger);

    [LoggerMessage(1005, LogLevel.Warning,
        "The DNS provider {Type} at {Host} is used over plain HTTP: anyone on the network path can read its API key and change the zone. "
        + "Put TLS in front of it and write an https URL, or run it on this machine.")]
    public static partial void PlainHttpProvider(this ILogger logger, Quoted type, Quoted host);

    [LoggerMessage(1006, LogLevel.Warning,
        "The status page at {Pattern} needs no authorization: everybody who can reach the app sees all names and what the CA said. "
        + "Call app.MapAcmeHttpsStatus(...).RequireAuthorization().",
        EventName = nameof(StatusPageOpen))]
    public static partial void StatusPageOpen(this ILogger logger, Quoted pattern);

    [LoggerMessage(1007, LogLevel.Error, "{Certificate}: after the first failed order, the doctor found from here: {Findings}",
        EventName = nameof(FailureExamined))]
    public static partial void FailureExamined(this ILogger logger, Quoted certificate, Quoted findings);

    [LoggerMessage(1008, LogLevel.Error,
        "Automatic HTTPS does not run: this host, made with WebHost or WebHostBuilder, does not tell services when it starts and stops. "
        + "No certificate is read, ordered or renewed. Use WebApplication.CreateBuilder(args), or "
        + "Host.CreateDefaultBuilder(args).ConfigureWebHostDefaults(...).",
        EventName = nameof(HostWithoutLifecycle))]
    public static partial void HostWithoutLifecycle(this ILogger logger);
}
