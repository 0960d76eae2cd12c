using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.Azure.Tests;

/// <summary>
/// The part of Azure's REST API for public DNS (2018-05-01) that is used, in the documented shapes: bearer token, api-version, lists
/// with <c>value</c> and <c>nextLink</c>, record sets with <c>etag</c> and <c>properties</c>, <c>If-Match</c> and <c>If-None-Match:
/// *</c>, 412 PreconditionFailed, 404 NotFound, ResourceNotFound and ParentResourceNotFound.
/// </summary>
internal sealed class AzureDnsStub(string token, string subscription)
{
    private readonly Lock _gate = new();
    private int _etags;

    /// <summary>Resource group and name.</summary>
    public List<(string Group, string Name)> Zones { get; } = [];

    /// <summary>The <c>properties</c> of record sets by <c>zone/relative name</c>.</summary>
    public ConcurrentDictionary<string, (string Etag, JsonObject Properties)> Sets { get; } = new(StringComparer.OrdinalIgnoreCase);

    public int PageSize { get; set; } = 100;

    /// <summary>The server in links to the next page, instead of this one.</summary>
    public string? OtherServer { get; set; }

    /// <summary>The last page links back to the page with this <c>$skipToken</c>.</summary>
    public int? LeadsBackTo { get; set; }

    /// <summary>The code of the 404 for a zone that does not exist at its URL (any more).</summary>
    public string MissingZoneCode { get; set; } = "ParentResourceNotFound";

    /// <summary>Runs before each change, to simulate somebody else's changes.</summary>
    public Action<string>? Meanwhile { get; set; }

    public void Map(WebApplication app)
    {
        app.Use(CheckAsync);
        app.MapGet("/subscriptions/{id}/providers/Microsoft.Network/dnsZones", (string id, HttpRequest request) => List(id, null, request));
        app.MapGet("/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Network/dnsZones", List);
        const string Set = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Network/dnsZones/{zone}/TXT/{name}";
        app.MapGet(Set, Get);
        app.MapPut(Set, PutAsync);
        app.MapDelete(Set, Delete);
    }

    public void Put(string key, long timeToLive, params string[][] values)
    {
        var records = values.Select(value => new JsonObject { ["value"] = new JsonArray([.. value.Select(s => JsonValue.Create(s))]) });
        Sets[key] = (NextEtag(), new JsonObject { ["TTL"] = timeToLive, ["TXTRecords"] = new JsonArray([.. records]) });
    }

    public string[] ValuesOf(string key) => !Sets.TryGetValue(key, out var set)
        ? []
        : [.. set.Properties["TXTRecords"]!.AsArray()
            .Select(record => string.Concat(record!["value"]!.AsArray().Select(part => (string)part!)))
            .Order(StringComparer.Ordinal)];

    private static IResult Error(int status, string code, string message)
        => Results.Json(new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } }, statusCode: status);

    private string NextEtag() => new Guid(Interlocked.Increment(ref _etags), 0, 0, new byte[8]).ToString();

    private async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        const string MissingVersion = "The api-version query parameter (?api-version=) is required for all requests.";
        var http = context.Request;
        var wrong = http.Headers.Authorization != $"Bearer {token}"
            ? Error(401, "InvalidAuthenticationToken", "The access token is invalid.")
            : http.Query["api-version"] != "2018-05-01" ? Error(400, "MissingApiVersionParameter", MissingVersion)
            : http.Headers.Accept != "application/json" ? Error(406, "NotAcceptable", "application/json only")
            : null;
        await (wrong?.ExecuteAsync(context) ?? next(context));
    }

    private IResult List(string id, string? group, HttpRequest request)
    {
        if (id != subscription)
        {
            return Error(404, "SubscriptionNotFound", $"The subscription '{id}' could not be found.");
        }

        var skip = int.TryParse(request.Query["$skipToken"], CultureInfo.InvariantCulture, out var index) ? index : 0;
        var zones = Zones.Where(zone => group is null || zone.Group == group).ToList();
        var page = new JsonObject
        {
            ["value"] = new JsonArray([.. zones.Skip(skip).Take(PageSize).Select(zone => new JsonObject
            {
                ["id"] = IdOf(zone.Group, zone.Name),
                ["etag"] = "00000002-0000-0000-0000-000000000000",
                ["location"] = "global",
                ["name"] = zone.Name,
                ["type"] = "Microsoft.Network/dnszones",
                ["properties"] = new JsonObject
                {
                    ["maxNumberOfRecordSets"] = 10000,
                    ["numberOfRecordSets"] = 2,
                    ["nameServers"] = new JsonArray("ns1-01.azure-dns.com."),
                    ["zoneType"] = "Public",
                },
            })]),
        };
        if ((skip + PageSize < zones.Count ? skip + PageSize : LeadsBackTo) is { } next)
        {
            var server = OtherServer ?? $"{request.Scheme}://{request.Host}";
            page["nextLink"] = $"{server}{request.Path}?api-version=2018-05-01&$skipToken={next}";
        }

        return Results.Json(page);
    }

    private string IdOf(string group, string zone) =>
        $"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/dnszones/{zone}";

    private bool Has(string group, string zone) => Zones.Contains((group, zone));

    private IResult NoZone(string zone) =>
        Error(404, MissingZoneCode, $"Can not perform requested operation on nested resource. Parent resource '{zone}' not found.");

    private IResult Get(string group, string zone, string name)
        => !Has(group, zone) ? NoZone(zone)
            : Sets.TryGetValue($"{zone}/{name}", out var set) ? Answer(group, zone, name, set, 200)
            : Error(
                404,
                "NotFound",
                $"The resource record '{name}' does not exist in resource group '{group}' of subscription '{subscription}'.");

    private JsonObject Resource(string group, string zone, string name, (string Etag, JsonObject Properties) set)
    {
        var properties = set.Properties.DeepClone().AsObject();
        properties["fqdn"] = name == "@" ? $"{zone}." : $"{name}.{zone}.";
        properties["targetResource"] = new JsonObject();
        properties["provisioningState"] = "Succeeded";
        return new JsonObject
        {
            ["id"] = $"{IdOf(group, zone)}/TXT/{name}",
            ["name"] = name,
            ["type"] = "Microsoft.Network/dnszones/TXT",
            ["etag"] = set.Etag,
            ["properties"] = properties,
        };
    }

    private IResult Answer(string group, string zone, string name, (string Etag, JsonObject Properties) set, int status) =>
        Results.Json(Resource(group, zone, name, set), statusCode: status);

    private async Task<IResult> PutAsync(string group, string zone, string name, HttpRequest request)
    {
        var body = (await JsonNode.ParseAsync(request.Body))!;
        var properties = body["properties"]!.AsObject();
        var key = $"{zone}/{name}";
        Meanwhile?.Invoke(key);
        lock (_gate)
        {
            if (!Has(group, zone))
            {
                return NoZone(zone);
            }

            if (Precondition(key, request) is { } failed)
            {
                return failed;
            }

            if (properties["TXTRecords"] is not JsonArray { Count: > 0 } || (long?)properties["TTL"] is null or < 1)
            {
                return Error(400, "BadRequest", "The resource record set has no records.");
            }

            var status = Sets.ContainsKey(key) ? 200 : 201;
            Sets[key] = (NextEtag(), properties.DeepClone().AsObject());
            return Answer(group, zone, name, Sets[key], status);
        }
    }

    private IResult Delete(string group, string zone, string name, HttpRequest request)
    {
        var key = $"{zone}/{name}";
        Meanwhile?.Invoke(key);
        lock (_gate)
        {
            return !Has(group, zone)
                ? NoZone(zone)
                : Precondition(key, request) ?? (Sets.TryRemove(key, out _) ? Results.Ok() : Results.NoContent());
        }
    }

    private IResult? Precondition(string key, HttpRequest request)
    {
        var etag = Sets.TryGetValue(key, out var set) ? set.Etag : null;
        return request.Headers.IfMatch.ToString() is { Length: > 0 } match && match != etag
            ? Error(
                412, "PreconditionFailed", $"The condition '{match}' in the If-Match header was not satisfied. The current was '{etag}'.")
            : request.Headers.IfNoneMatch == "*" && etag is not null
                ? Error(412, "PreconditionFailed", $"The Record set {key} exists already and hence cannot be created again.")
                : null;
    }
}
