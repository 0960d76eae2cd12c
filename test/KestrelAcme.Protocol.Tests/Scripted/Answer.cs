using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace KestrelAcme.Protocol.Tests.Scripted;

/// <summary>Responses of the scripted server.</summary>
internal static class Answer
{
    public static Func<HttpResponseMessage> Json(string json, int status = 200, params (string Name, string Value)[] headers) =>
        () => Create(status, "application/json", json, headers);

    public static Func<HttpResponseMessage> Problem(
        int status, string type, string detail = "no", params (string Name, string Value)[] headers) =>
        () =>
            Create(
                status,
                "application/problem+json",
                $$"""{"type":"urn:ietf:params:acme:error:{{type}}","detail":"{{detail}}","status":{{status}}}""",
                headers);

    public static Func<HttpResponseMessage> Text(int status, string mediaType, string body, params (string Name, string Value)[] headers) =>
        () => Create(status, mediaType, body, headers);

    public static Func<HttpResponseMessage> Empty(int status, params (string Name, string Value)[] headers) =>
        () => Create(status, null, "", headers);

    public static Func<HttpResponseMessage> Stream(Func<Stream> content) =>
        () => new HttpResponseMessage(HttpStatusCode.OK)
        {
            Content = new StreamContent(content()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };

    /// <summary>No connection: the request was not sent.</summary>
    public static Func<HttpResponseMessage> Refused() =>
        () => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused", new IOException("Connection refused"));

    /// <summary>The request was sent, but the response was lost.</summary>
    public static Func<HttpResponseMessage> Lost() =>
        () => throw new HttpRequestException(HttpRequestError.ResponseEnded, "ended", new IOException("The response ended prematurely"));

    public static Func<HttpResponseMessage> Fail(Exception exception) => () => throw exception;

    private static HttpResponseMessage Create(int status, string? mediaType, string body, (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        if (mediaType is not null)
        {
            response.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(mediaType);
        }

        foreach (var (name, value) in headers)
        {
            response.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }
}
