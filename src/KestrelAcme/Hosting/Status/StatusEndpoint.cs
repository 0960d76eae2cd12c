using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.Diagnostics;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Hosting.Status;

/// <summary>Responds with the status (as HTML, as JSON, or as a stream of events), and takes requests to renew.</summary>
internal sealed class StatusEndpoint(
    StatusReader reader, StatusDemand demand, StatusEvents events, StatusRenewals renewals, IHostApplicationLifetime lifetime)
{
    public const string Json = "application/json";
    public const string Html = "text/html";
    public const string EventStream = "text/event-stream";
    public const string ScriptName = "live.js";

    // Longer than any name.
    private const int LongestSearch = 300;
    private const int LongestForm = 16 * 1024;

    /// <summary>Whether the warning that anybody may read the status was logged.</summary>
    public bool HasWarned { get; set; }

    /// <summary>Whether anybody may use an endpoint.</summary>
    public static bool IsOpen(IEnumerable<object> metadata, IServiceProvider services)
        => metadata.Any(m => m is IAllowAnonymous)
            || (!metadata.Any(m => m is IAuthorizeData or AuthorizationPolicy)
                && services.GetService<IOptions<AuthorizationOptions>>()?.Value.FallbackPolicy is null);

    public async Task RespondAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.Vary = "Accept";
        headers.XContentTypeOptions = "nosniff";
        var accept = context.Request.Headers.Accept;
        if (Prefers(accept, EventStream) && HttpMethods.IsGet(context.Request.Method))
        {
            await StreamAsync(context);
            return;
        }

        headers.CacheControl = "no-store";
        var query = context.Request.Query;
        var report = reader.Read(SearchOf(query), PageOf(query)) with { OnDemand = demand.Read() };
        if (Prefers(accept, Json))
        {
            context.Response.ContentType = $"{Json}; charset=utf-8";
            await JsonSerializer.SerializeAsync(
                context.Response.Body, report, StatusJsonContext.Default.StatusReport, context.RequestAborted);
            return;
        }

        var (token, obstacle) = MayRenew(context) ? StatusForgery.Issue(context) : default;
        if (obstacle is not null)
        {
            report = report with { Notices = [.. report.Notices, $"Certificates cannot be renewed on this page: {obstacle}"] };
        }

        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        var html = StatusHtml.Write(report, new StatusView
        {
            Host = QuotedText.Words(context.Request.Host.Value, QuotedText.MaxNameLength),
            Search = SearchOf(query),
            Token = token,
            Renewal = query["asked"].ToString() is { Length: > 0 } asked && renewals.IsManaged(asked) ? renewals.Find(asked) : null,
            ScriptUrl = ScriptUrl(context.Request.Path),
            Nonce = nonce,
        });

        // Antiforgery services set some of these, too.
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy = StatusAssets.Policy(nonce);
        headers["Referrer-Policy"] = "same-origin";
        context.Response.ContentType = $"{Html}; charset=utf-8";
        await context.Response.WriteAsync(html, context.RequestAborted);
    }

    /// <summary>Takes a request to renew, and leads back to the page, which shows what became of it.</summary>
    public async Task RenewAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!MayRenew(context))
        {
            await RefuseAsync(
                context,
                StatusCodes.Status403Forbidden,
                "Outside Development, certificates are renewed here only if the page needs authorization: call RequireAuthorization().");
            return;
        }

        if (await ReadFormAsync(context) is not { } form || !await StatusForgery.IsFromPageAsync(context, form))
        {
            await RefuseAsync(
                context,
                StatusCodes.Status400BadRequest,
                "Nothing was renewed: the form was not sent from the status page, or the page is too old. Open the page and try again.");
            return;
        }

        var id = form["certificate"].ToString();
        if (!renewals.IsManaged(id))
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, "Nothing was renewed: there is no such certificate any more.");
            return;
        }

        await renewals.AskAsync(id, context.RequestAborted);
        var query = context.Request.Query;
        context.Response.StatusCode = StatusCodes.Status303SeeOther;

        // Relative, because a proxy may have taken away the beginning of the path.
        context.Response.Headers.Location = $"{StatusView.Query(PageOf(query), SearchOf(query))}&asked={Uri.EscapeDataString(id)}";
    }

    /// <summary>Responds with the script.</summary>
    public static async Task RespondWithScriptAsync(HttpContext context)
    {
        context.Response.ContentType = "text/javascript; charset=utf-8";
        context.Response.Headers.CacheControl = "private, max-age=86400";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await context.Response.WriteAsync(StatusAssets.Script, context.RequestAborted);
    }

    private async Task StreamAsync(HttpContext context)
    {
        using var listener = events.TryListen();
        if (listener is null)
        {
            context.Response.Headers.RetryAfter = "60";
            await RefuseAsync(
                context, StatusCodes.Status503ServiceUnavailable, $"More than {StatusEvents.MostListeners} clients listen already.");
            return;
        }

        // The end of the host must not wait for a browser that listens.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await TypedResults.ServerSentEvents(listener.ReadAsync(ended.Token)).ExecuteAsync(context);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The client went away.
        }
    }

    private static bool MayRenew(HttpContext context)
        => context.RequestServices.GetService<IHostEnvironment>()?.IsDevelopment() == true
            || !IsOpen(context.GetEndpoint()?.Metadata ?? EndpointMetadataCollection.Empty, context.RequestServices);

    private static async Task<IFormCollection?> ReadFormAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = LongestForm;
        }

        try
        {
            return context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : null;
        }
        catch (Exception exception) when (exception is BadHttpRequestException or InvalidDataException)
        {
            return null;
        }
    }

    private static async Task RefuseAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(text, context.RequestAborted);
    }

    private static string? SearchOf(IQueryCollection query)
        => query["name"].ToString().Trim() is { Length: > 0 and <= LongestSearch } name ? name : null;

    private static int PageOf(IQueryCollection query)
        => int.TryParse(query["page"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 1;

    // Relative to the page.
    private static string ScriptUrl(PathString path)
    {
        var page = path.ToUriComponent();
        return $"{page[(page.LastIndexOf('/') + 1)..]}{(page.EndsWith('/') ? "" : "/")}{ScriptName}?v={StatusAssets.ScriptVersion}";
    }

    // Browsers accept HTML, and curl accepts anything.
    private static bool Prefers(StringValues accept, string type)
        => accept.ToString() is { } types
            && types.Contains(type, StringComparison.OrdinalIgnoreCase)
            && !types.Contains(Html, StringComparison.OrdinalIgnoreCase);
}
