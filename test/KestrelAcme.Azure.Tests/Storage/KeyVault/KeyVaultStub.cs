using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.Azure.Tests.Storage.KeyVault;

/// <summary>
/// The part of Key Vault's REST API 7.x for secrets that is used, in the documented shapes: the 401 challenge, set (each time a new
/// version), get by name and version, update of a version, list of secrets and of versions with <c>nextLink</c>, delete into the deleted
/// secrets, get, recover and purge of those, and errors as <c>{"error":{"code","message","innererror":{"code"}}}</c>. Key Vault has no
/// emulator: what the service really answers was compared with its public documentation and with recorded answers.
/// </summary>
internal sealed partial class KeyVaultStub(string token)
{
    private const int MaxValueLength = 25_000;
    private const int PageSize = 25;

    private readonly Lock _gate = new();

    /// <summary>The versions of each secret, oldest first.</summary>
    public Dictionary<string, List<Version>> Secrets { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The deleted secrets, whose names cannot be used.</summary>
    public Dictionary<string, List<Version>> Deleted { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the vault refuses to purge.</summary>
    public bool IsPurgeProtected { get; set; }

    /// <summary>Refuses a request: from method and path to a status, codes and a Retry-After.</summary>
    public Func<string, (int Status, string Code, string? Inner, string? RetryAfter)?>? Refuse { get; set; }

    /// <summary>Runs before each request, to simulate what others do meanwhile.</summary>
    public Func<string, Task>? Before { get; set; }

    public void Clear()
    {
        lock (_gate)
        {
            Secrets.Clear();
            Deleted.Clear();
        }
    }

    public void Map(WebApplication app)
    {
        app.Use(CheckAsync);
        app.MapPut("/secrets/{name}", SetAsync);
        app.MapGet("/secrets/{name}", (string name, HttpContext context) => Get(name, null, context));
        app.MapGet("/secrets/{name}/{version}", (string name, string version, HttpContext context)
            => version == "versions" ? Versions(name, context) : Get(name, version, context));
        app.MapPatch("/secrets/{name}/{version}", UpdateAsync);
        app.MapDelete("/secrets/{name}", Delete);
        app.MapGet("/secrets", List);
        app.MapGet("/deletedsecrets/{name}", GetDeleted);
        app.MapDelete("/deletedsecrets/{name}", Purge);
        app.MapPost("/deletedsecrets/{name}/recover", Recover);
    }

    private async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Headers.Authorization.ToString() != $"Bearer {token}")
        {
            context.Response.Headers.WWWAuthenticate =
                "Bearer authorization=\"https://login.test/11111111-2222-3333-4444-555555555555\", resource=\"https://vault.azure.net\"";
            await Error(401, "Unauthorized", "Request is missing a Bearer or PoP token.").ExecuteAsync(context);
            return;
        }

        var request = $"{context.Request.Method} {context.Request.Path}";
        await (Before?.Invoke(request) ?? Task.CompletedTask);
        if (Refuse?.Invoke(request) is { } refusal)
        {
            if (refusal.RetryAfter is not null)
            {
                context.Response.Headers.RetryAfter = refusal.RetryAfter;
            }

            await Error(refusal.Status, refusal.Code, "Refused.", refusal.Inner).ExecuteAsync(context);
            return;
        }

        if (context.Request.Query["api-version"].Count == 0)
        {
            await Error(400, "BadParameter", "api-version must be specified").ExecuteAsync(context);
            return;
        }

        await next(context);
    }

    private async Task<IResult> SetAsync(string name, HttpContext context)
    {
        var body = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        if (!NamePattern().IsMatch(name) || (string?)body?["value"] is not { } value || value.Length > MaxValueLength)
        {
            return Error(400, "BadParameter", "The name or the value of the secret is not valid.");
        }

        lock (_gate)
        {
            if (Deleted.ContainsKey(name))
            {
                return Error(
                    409,
                    "Conflict",
                    $"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the "
                    + "secret can only be recovered or purged.",
                    "ObjectIsDeletedButRecoverable");
            }

            var version = new Version(
                Guid.NewGuid().ToString("N"), value, (string?)body["contentType"], body["tags"]?.DeepClone().AsObject(), true);
            if (!Secrets.TryGetValue(name, out var versions))
            {
                Secrets[name] = versions = [];
            }

            versions.Add(version);
            return Results.Json(Bundle(name, version, context, withValue: true));
        }
    }

    private IResult Get(string name, string? id, HttpContext context)
    {
        lock (_gate)
        {
            return Find(name, id) is not { } version ? NotFound(name)
                : version.IsEnabled ? Results.Json(Bundle(name, version, context, withValue: true))
                : Error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled");
        }
    }

    private async Task<IResult> UpdateAsync(string name, string version, HttpContext context)
    {
        var body = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        lock (_gate)
        {
            if (Find(name, version) is not { } old)
            {
                return NotFound(name);
            }

            var changed = old with
            {
                ContentType = (string?)body?["contentType"] ?? old.ContentType,
                Tags = body?["tags"]?.DeepClone().AsObject() ?? old.Tags,
                IsEnabled = (bool?)body?["attributes"]?["enabled"] ?? old.IsEnabled,
            };
            Secrets[name][Secrets[name].IndexOf(old)] = changed;
            return Results.Json(Bundle(name, changed, context, withValue: false));
        }
    }

    private IResult Delete(string name, HttpContext context)
    {
        lock (_gate)
        {
            if (!Secrets.Remove(name, out var versions))
            {
                return NotFound(name);
            }

            Deleted[name] = versions;
            return Results.Json(DeletedBundle(name, versions[^1], context));
        }
    }

    private IResult GetDeleted(string name, HttpContext context)
    {
        lock (_gate)
        {
            return Deleted.TryGetValue(name, out var versions) ? Results.Json(DeletedBundle(name, versions[^1], context)) : NotFound(name);
        }
    }

    private IResult Recover(string name, HttpContext context)
    {
        lock (_gate)
        {
            if (!Deleted.Remove(name, out var versions))
            {
                return NotFound(name);
            }

            Secrets[name] = versions;
            return Results.Json(Bundle(name, versions[^1], context, withValue: false));
        }
    }

    private IResult Purge(string name)
    {
        lock (_gate)
        {
            return IsPurgeProtected ? Error(403, "Forbidden", "Purge protection is enabled.", "ForbiddenByPolicy")
                : Deleted.Remove(name) ? Results.NoContent() : NotFound(name);
        }
    }

    private IResult List(HttpContext context)
    {
        lock (_gate)
        {
            return Page(context, "/secrets", [.. Secrets.Order().Select(secret => Item(secret.Key, secret.Value[^1], null, context))]);
        }
    }

    private IResult Versions(string name, HttpContext context)
    {
        lock (_gate)
        {
            return Page(
                context,
                $"/secrets/{name}/versions",
                [.. Secrets.GetValueOrDefault(name, []).Select(version => Item(name, version, version.Id, context))]);
        }
    }

    private static IResult Page(HttpContext context, string path, List<JsonObject> all)
    {
        var start = int.TryParse(context.Request.Query["$skiptoken"], CultureInfo.InvariantCulture, out var token) ? token : 0;
        var end = start + PageSize;
        return Results.Json(new JsonObject
        {
            ["value"] = new JsonArray([.. all.Skip(start).Take(PageSize)]),
            ["nextLink"] = end < all.Count ? $"https://{context.Request.Host}:{path}?api-version=7.4&$skiptoken={end}" : null,
        });
    }

    private Version? Find(string name, string? id) => !Secrets.TryGetValue(name, out var versions) ? null
        : id is null ? versions[^1] : versions.Find(version => version.Id == id);

    private static JsonObject Bundle(string name, Version version, HttpContext context, bool withValue)
    {
        var bundle = Item(name, version, version.Id, context);
        if (withValue)
        {
            bundle["value"] = version.Value;
        }

        return bundle;
    }

    private static JsonObject DeletedBundle(string name, Version version, HttpContext context)
    {
        var bundle = Item(name, version, version.Id, context);
        bundle["recoveryId"] = $"https://{context.Request.Host}/deletedsecrets/{name}";
        bundle["deletedDate"] = 1493938433;
        bundle["scheduledPurgeDate"] = 1501714433;
        return bundle;
    }

    private static JsonObject Item(string name, Version version, string? id, HttpContext context) => new()
    {
        ["id"] = $"https://{context.Request.Host}/secrets/{name}{(id is null ? "" : "/" + id)}",
        ["contentType"] = version.ContentType,
        ["attributes"] = new JsonObject
        {
            ["enabled"] = version.IsEnabled,
            ["created"] = 1493938410,
            ["updated"] = 1493938410,
            ["recoveryLevel"] = "Recoverable+Purgeable",
            ["recoverableDays"] = 90,
        },
        ["tags"] = version.Tags?.DeepClone(),
    };

    private static IResult NotFound(string name) => Error(
        404,
        "SecretNotFound",
        $"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to recover "
        + "it using the correct recovery command.");

    private static IResult Error(int status, string code, string message, string? inner = null)
    {
        var error = new JsonObject { ["code"] = code, ["message"] = message };
        if (inner is not null)
        {
            error["innererror"] = new JsonObject { ["code"] = inner };
        }

        return Results.Json(new JsonObject { ["error"] = error }, statusCode: status);
    }

    [GeneratedRegex("^[0-9a-zA-Z-]{1,127}$")]
    private static partial Regex NamePattern();

    /// <summary>One version of a secret.</summary>
    public sealed record Version(string Id, string Value, string? ContentType, JsonObject? Tags, bool IsEnabled);
}
