namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>Answers the requests for one kind of resource. Nothing in it waits: validation runs in the background.</summary>
internal interface IResourceHandler
{
    ResourceKind Resource { get; }

    AcmeResponse Handle(AcmeRequest request);
}
