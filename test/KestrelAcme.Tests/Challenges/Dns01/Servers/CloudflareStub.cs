using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.Tests.Challenges.Dns01.Servers;

/// <summary>
/// A stub of the used part of Cloudflare's API v4 that follows its documentation: bearer token, envelope with success, errors, messages,
/// result and result_info; paged lists; error codes 9109 (token), 1003 and 7003 (no such zone), 9207 (unreadable), 81044 (no such record),
/// 81058 (identical record).
/// </summary>
internal sealed class CloudflareStub(string token, params string[] zones)
{
    public List<(string Id, string Zone, string Name, string Content)> Records { get; } = [];

    /// <summary>The maximum page size, whatever the client asks for.</summary>
    public int LargestPage { get; set; } = 50;

    public void Map(WebApplication app)
    {
        app.Use(AuthenticateAsync);
        app.MapGet("/zones", ListZones);
        app.MapGet("/zones/{zone}/dns_records", ListRecords);
        app.MapPost("/zones/{zone}/dns_records", CreateAsync);
        app.MapDelete("/zones/{zone}/dns_records/{id}", Delete);
    }

    private static IResult Error(int status, int code, string message) => Results.Json(
        new JsonObject
        {
            ["success"] = false,
            ["errors"] = new JsonArray(new JsonObject { ["code"] = code, ["message"] = message }),
            ["messages"] = new JsonArray(),
            ["result"] = null,
        },
        statusCode: status);

    private static JsonObject Success(JsonNode? result)
        => new() { ["success"] = true, ["errors"] = new JsonArray(), ["messages"] = new JsonArray(), ["result"] = result };

    private async Task AuthenticateAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Headers.Authorization != $"Bearer {token}")
        {
            await Error(403, 9109, "Invalid access token").ExecuteAsync(context);
            return;
        }

        await next(context);
    }

    private IResult ListZones(HttpRequest request)
        => Page(
            request,
            zones.Where(zone => request.Query["name"] == "" || request.Query["name"] == zone).Select(
                zone => new JsonObject { ["id"] = $"id-of-{zone}", ["name"] = zone, ["status"] = "active" }));

    private IResult ListRecords(string zone, HttpRequest request) => !zones.Contains(zone["id-of-".Length..])
        ? Error(404, 7003, "Could not route to the zone, perhaps your object identifier is invalid?")
        : Page(request, Records.Where(r => $"id-of-{r.Zone}" == zone && r.Name == request.Query["name"] && request.Query["type"] == "TXT")
            .Select(r => new JsonObject
            {
                ["id"] = r.Id,
                ["type"] = "TXT",
                ["name"] = r.Name,
                ["content"] = r.Content,
                ["ttl"] = 60,
                ["proxied"] = false,
            }));

    private IResult Page(HttpRequest request, IEnumerable<JsonObject> elements)
    {
        var all = elements.ToList();
        var size = Math.Min(LargestPage, int.Parse(request.Query["per_page"].ToString(), CultureInfo.InvariantCulture));
        var page = int.Parse(request.Query["page"].ToString(), CultureInfo.InvariantCulture);
        var answer = Success(new JsonArray([.. all.Skip((page - 1) * size).Take(size)]));
        answer["result_info"] = new JsonObject
        {
            ["page"] = page,
            ["per_page"] = size,
            ["count"] = Math.Min(size, all.Count),
            ["total_count"] = all.Count,
            ["total_pages"] = Math.Max(1, (all.Count + size - 1) / size),
        };
        return Results.Json(answer);
    }

    private async Task<IResult> CreateAsync(string zone, HttpRequest request)
    {
        var body = (await JsonNode.ParseAsync(request.Body))!;
        var record = (
            Id: Guid.NewGuid().ToString("N"),
            Zone: zone["id-of-".Length..],
            Name: (string)body["name"]!,
            Content: (string)body["content"]!);
        if ((string?)body["type"] != "TXT" || (int)body["ttl"]! < 60 || record.Content is not ['"', .., '"'])
        {
            return Error(400, 9207, "DNS Validation Error");
        }

        if (Records.Any(r => r.Name == record.Name && r.Content == record.Content))
        {
            return Error(400, 81058, "An identical record already exists.");
        }

        Records.Add(record);
        return Results.Json(Success(new JsonObject { ["id"] = record.Id }));
    }

    private IResult Delete(string zone, string id)
        => Records.RemoveAll(r => r.Id == id && $"id-of-{r.Zone}" == zone) == 1
            ? Results.Json(Success(new JsonObject { ["id"] = id }))
            : Error(404, 81044, "Record does not exist.");
}
