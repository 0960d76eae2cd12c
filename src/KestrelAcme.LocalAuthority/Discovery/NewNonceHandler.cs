using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Discovery;

/// <summary>Gives out a nonce; the header itself is written with every answer.</summary>
internal sealed class NewNonceHandler : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.NewNonce;

    public AcmeResponse Handle(AcmeRequest request) => AcmeResponse.Empty(request.Method == "HEAD" ? 200 : 204);
}
