using System.Text;
using KestrelAcme.LocalAuthority.Diagnostics;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>Processes requests: faults, method, content type, signature, handler, response, log.</summary>
internal sealed class RequestPipeline
{
    private const string JoseJson = "application/jose+json";

    private readonly Dictionary<ResourceKind, IResourceHandler> _handlers;
    private readonly RequestAuthenticator _authenticator;
    private readonly ResponseWriter _writer;
    private readonly AuthorityFaults _faults;
    private readonly TimeProvider _time;
    private readonly AuthorityLog _log;

    public RequestPipeline(
        IEnumerable<IResourceHandler> handlers,
        RequestAuthenticator authenticator,
        ResponseWriter writer,
        AuthorityFaults faults,
        TimeProvider time,
        AuthorityLog log)
    {
        _handlers = handlers.ToDictionary(h => h.Resource);
        _authenticator = authenticator;
        _writer = writer;
        _faults = faults;
        _time = time;
        _log = log;
    }

    public BoundedLog<AuthorityRequest> Requests { get; } = new(100_000);

    public async Task HandleAsync(HttpContext context)
    {
        var request = RequestOf(context.Request);
        var fault = _faults.Take(request.Route.Resource);
        if (fault?.Effect is FaultEffect.CutBefore or FaultEffect.NoAnswer)
        {
            Record(context, request, 0, null);
            await _writer.CutAsync(context, fault.Effect);
            return;
        }

        (request, var response) = await AnswerAsync(context, request, fault);
        response = fault?.Effect == FaultEffect.Rewrite ? Rewritten(response, fault) : response;
        var cut = fault?.Effect == FaultEffect.CutAfter;
        Record(context, request, cut ? 0 : response.Status, response.ProblemType);
        await _writer.WriteAsync(context, request, response, fault?.Effect);
    }

    private static AcmeResponse Rewritten(AcmeResponse response, Fault fault) => response with
    {
        Status = fault.RewrittenStatus ?? response.Status,
        ContentType = fault.RewrittenContentType ?? response.ContentType,
        Body = Encoding.UTF8.GetBytes(fault.RewriteBody!(Encoding.UTF8.GetString(response.Body))),
        Headers = fault.Headers,
    };

    private static AcmeRequest RequestOf(HttpRequest request)
    {
        var origin = $"{request.Scheme}://{request.Host.Value}";
        return new AcmeRequest(request.Method, Route.Parse(request.Path.Value ?? ""), new ResourceUrls(origin))
        {
            Url = origin + request.Path.ToUriComponent() + request.QueryString.ToUriComponent(),
        };
    }

    private async Task<(AcmeRequest Request, AcmeResponse Response)> AnswerAsync(
        HttpContext context, AcmeRequest request, Fault? fault)
    {
        try
        {
            if (fault is { Effect: FaultEffect.Problem })
            {
                var problem = Problem.Of(fault.ProblemType, fault.Status, fault.Detail);
                return (request, AcmeResponse.Of(problem) with { RetryAfter = fault.RetryAfter });
            }

            var handler = Check(context.Request, request);
            if (ResourceRules.Signer(request.Route.Resource) != RequestSigner.None)
            {
                var body = await ReadBodyAsync(context.Request, context.RequestAborted);
                request = _authenticator.Authenticate(request, JwsMessage.Parse(body));
            }

            return (request, handler.Handle(request));
        }
        catch (ProblemException e)
        {
            return (request, AcmeResponse.Of(e.Problem) with
            {
                Allow = e.Problem.Status == 405 ? ResourceRules.AllowedMethods(request.Route.Resource) : null,
            });
        }
        catch (BadHttpRequestException e)
        {
            return (request, AcmeResponse.Of(Problem.Malformed(e.Message, e.StatusCode)));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.RequestFailed(e, request.Method, context.Request.Path.Value);
            return (request, AcmeResponse.Of(Problem.Of("serverInternal", 500, e.Message)));
        }
    }

    private IResourceHandler Check(HttpRequest http, AcmeRequest request)
    {
        var resource = request.Route.Resource;
        if (!_handlers.TryGetValue(resource, out var handler))
        {
            throw Problem.NotFound("resource").ToException();
        }

        if (!ResourceRules.Allows(resource, request.Method))
        {
            var allowed = ResourceRules.AllowedMethods(resource);
            throw Problem.Malformed($"{request.Method} is not allowed here: use {allowed}.", 405).ToException();
        }

        if (ResourceRules.IsFile(resource))
        {
            return handler;
        }

        if (!http.IsHttps)
        {
            throw Problem.Malformed("ACME needs HTTPS: this port serves only what certificates point to.").ToException();
        }

        if (http.Headers.UserAgent.Count == 0)
        {
            throw Problem.Malformed("The request has no User-Agent (RFC 8555 section 6.1).").ToException();
        }

        return request.Method != "POST" || http.ContentType == JoseJson
            ? handler
            : throw Problem.Malformed($"The content type is '{http.ContentType}': {JoseJson} is expected.", 415).ToException();
    }

    private static async Task<byte[]> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken);
        return body.ToArray();
    }

    private void Record(HttpContext context, AcmeRequest request, int status, string? problem)
    {
        var path = context.Request.Path.Value ?? "";
        var payload = (request.Key, request.Payload) switch
        {
            (null, _) => RequestPayload.None,
            (_, []) => RequestPayload.PostAsGet,
            (_, [(byte)'{', (byte)'}']) => RequestPayload.EmptyObject,
            _ => RequestPayload.Content,
        };
        Requests.Add(new AuthorityRequest(
            request.Method, path, request.Route.Resource, _time.GetUtcNow(), request.Account?.Id, status, problem)
        {
            Payload = payload,
        });
        _log.Answered(request.Method, path, status, problem);
    }
}

/// <summary>A parsed path: the resource and the IDs in it.</summary>
internal sealed record Route(ResourceKind Resource, string Id = "", string SubId = "")
{
    public static Route Parse(string path)
    {
        var parts = path.Split('/', StringSplitOptions.None);
        return parts switch
        {
            ["", "directory"] => new Route(ResourceKind.Directory),
            ["", "new-nonce"] => new Route(ResourceKind.NewNonce),
            ["", "new-account"] => new Route(ResourceKind.NewAccount),
            ["", "new-order"] => new Route(ResourceKind.NewOrder),
            ["", "revoke-cert"] => new Route(ResourceKind.RevokeCertificate),
            ["", "key-change"] => new Route(ResourceKind.KeyChange),
            ["", "account", var id] => new Route(ResourceKind.Account, id),
            ["", "account", var id, "orders"] => new Route(ResourceKind.OrdersList, id),
            ["", "order", var id] => new Route(ResourceKind.Order, id),
            ["", "order", var id, "finalize"] => new Route(ResourceKind.Finalize, id),
            ["", "authorization", var id] => new Route(ResourceKind.Authorization, id),
            ["", "challenge", var id, var challenge] => new Route(ResourceKind.Challenge, id, challenge),
            ["", "certificate", var id] => new Route(ResourceKind.Certificate, id),
            ["", "certificate", var id, var number] => new Route(ResourceKind.Certificate, id, number),
            ["", "renewal-info", var id] => new Route(ResourceKind.RenewalInformation, id),
            ["", "crl", var id] => new Route(ResourceKind.RevocationList, id),
            ["", "issuer", var id] => new Route(ResourceKind.IssuerCertificate, id),
            _ => new Route(ResourceKind.Unknown),
        };
    }
}
